"""Merging what the parts gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from lepton_stream.errors import UsageError
from lepton_stream.kernels import gram
from lepton_stream.kernels.gram import Gram
from lepton_stream.kernels.kernel import Kernel
from lepton_stream.lepton.kernel_runs import merged_states


def merge(results: Iterable[Any], kernel: Kernel | None = None) -> Any:
    """All of them as one.

    Arrays and numbers: their sum. States of a kernel (name it): the kernel's merge, group by group. Mappings: by key.
    Tuples and lists: place by place. Anything else: its own `.merge(other)`. Raises UsageError where they do not fit.
    """
    found = list(results)
    if not found:
        raise UsageError("merge: nothing to merge; expects at least one result")
    if kernel is not None:
        return reduce(lambda left, right: merged_states(kernel, left, right), found)
    return reduce(_two, found)


def _two(left: Any, right: Any) -> Any:
    if isinstance(left, Gram) and isinstance(right, Gram):
        if len(left.origin) != len(right.origin):
            raise UsageError(f"merge: Gram states of {len(left.origin)} and {len(right.origin)} columns: need as many")
        return gram.merge(left, right)
    if callable(getattr(left, "merge", None)):
        return left.merge(right)
    if _is_number(left) and _is_number(right):
        if np.shape(left) != np.shape(right):
            raise UsageError(f"merge: shapes {np.shape(left)} and {np.shape(right)}: sums need the same")
        return left + right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        only = {key: right[key] for key in right if key not in left}
        return {key: _two(value, right[key]) if key in right else value for key, value in left.items()} | only
    if isinstance(left, tuple | list) and type(left) is type(right) and len(left) == len(right):
        merged = [_two(a, b) for a, b in zip(left, right, strict=True)]
        return merged if isinstance(left, list) else tuple(merged)
    kinds = " and ".join(dict.fromkeys((type(left).__name__, type(right).__name__)))
    raise UsageError(f"merge: cannot merge {kinds}: expects arrays, numbers, or objects with .merge(other)")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | complex | np.generic | np.ndarray) and not isinstance(value, str | bytes)
