"""Columns of `[window.derive]`: what a window publishes beside its results, computed of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lepton_stream.columns import Columns, Index, Numbers, Told, listed
from lepton_stream.expression.evaluate import derive
from lepton_stream.expression.made import DTYPES
from lepton_stream.expression.tree import Kind
from lepton_stream.expression.typed import Typed
from lepton_stream.pipeline.plan import Derived

_INT64 = range(-(1 << 63), 1 << 63)


def derived_columns(
    derived: Sequence[Derived], groups: Columns, results: Mapping[str, Told], start: Index
) -> dict[str, Told]:
    """One value a group and window for each derived column, missing where it has none.

    `groups`: the group's fields as columns; `results`: as published; `start`: when windows begin, int64 µs, the time
    that `hour()` and its like see. Values come as they are published, so that one can be computed again from
    the others: the same doubles, and an integer sum that 64 bits cannot hold has no value here.
    """
    if not derived:
        return {}
    columns = dict(groups)
    for node in (part for d in derived for part in _fields(d.expression.root)):
        name = str(node.constant[0])
        if name in results and name not in columns:
            columns[name] = _numbers(results[name], node.kind)
    computed = derive([(d.name, d.expression) for d in derived], columns, start)
    return {d.name: computed[d.name] for d in derived}


def _fields(node: Typed) -> Iterator[Typed]:
    """The parts of an expression that name a column."""
    if node.op == "field":
        yield node
    for arg in node.args:
        yield from _fields(arg)


def _numbers(values: Told, kind: Kind) -> Numbers:
    """A column of what a function read off its states."""
    if isinstance(values, Numbers) and (kind == "float" or values.values.dtype == DTYPES[kind]):
        return Numbers(values.values.astype(DTYPES[kind], copy=False), values.valid)
    values = listed(values)
    there = [v is not None and (kind != "int" or (isinstance(v, int) and v in _INT64)) for v in values]
    held = np.array([v if ok else 0 for v, ok in zip(values, there, strict=True)], DTYPES[kind])
    return Numbers(held, None if all(there) else np.array(there, np.bool_))
