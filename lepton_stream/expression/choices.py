"""when, coalesce and bucket: which of several columns a row takes its value from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Column, Index, Mask, Numbers, Text, is_valid
from lepton_stream.expression.tree import Scalar


def picked(columns: Sequence[Column], which: Index) -> Column:
    """Row i of column `which[i]`; missing where that is -1."""
    valid: Mask = which >= 0
    for i, column in enumerate(columns):
        if column.valid is not None:
            valid &= (which != i) | column.valid
    if isinstance(columns[0], Text):
        return _picked_text([c for c in columns if isinstance(c, Text)], which, valid)
    values: NDArray[Any] = np.zeros(len(which), columns[0].values.dtype)
    for i, column in enumerate(columns):
        assert isinstance(column, Numbers)
        np.copyto(values, column.values, where=(which == i) & valid)
    return Numbers(values, None if valid.all() else valid)


def _picked_text(columns: Sequence[Text], which: Index, valid: Mask) -> Text:
    buffers = list({id(c.data): c.data for c in columns}.values())
    shifts = np.cumsum([0, *(len(b) for b in buffers[:-1])]).tolist()
    shift = {id(buffer): by for buffer, by in zip(buffers, shifts, strict=True)}
    start, length = np.zeros(len(which), np.int64), np.zeros(len(which), np.int64)
    for i, column in enumerate(columns):
        rows = (which == i) & valid
        np.copyto(start, column.start + shift[id(column.data)], where=rows)
        np.copyto(length, column.length, where=rows)
    data = buffers[0] if len(buffers) == 1 else np.concatenate(buffers)
    return Text(data, start, length, None if valid.all() else valid)


def _when(args: list[Column]) -> Column:
    pairs = len(args) // 2
    values = [args[2 * i + 1] for i in range(pairs)]
    which = np.full(len(args[0]), -1, np.int64)
    if len(args) % 2:
        which[:] = pairs
        values.append(args[-1])
    for i in reversed(range(pairs)):
        condition = args[2 * i]
        assert isinstance(condition, Numbers)
        which[condition.values.astype(np.bool_, copy=False) & is_valid(condition)] = i
    return picked(values, which)


def _coalesce(args: list[Column]) -> Column:
    which = np.full(len(args[0]), -1, np.int64)
    for i in reversed(range(len(args))):
        which[is_valid(args[i])] = i
    return picked(args, which)


def bucket(column: Column, edges: Sequence[Scalar], labels: Sequence[Column]) -> Column:
    """The label of each number: the first below the first edge, a number on an edge belongs to what follows it."""
    assert isinstance(column, Numbers)
    which = np.searchsorted(np.array(edges, column.values.dtype), column.values, "right").astype(np.int64)
    if column.valid is not None:
        which[~column.valid] = -1
    return picked(labels, which)


STEPS: dict[str, Callable[[list[Column]], Column]] = {"when": _when, "coalesce": _coalesce}
