"""Rows that are hard on kernels: floats of all magnitudes, the ends of int64, nulls, repeated times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from lepton_stream.columns import Columns, Index, Mask, Numbers, text_from_strings
from lepton_stream.kernels.kernel import Kernel, Rows, State
from lepton_stream.kernels.layered import Layered

TYPES = {"x": "float", "i": "int", "s": "str", "b": "bool"}
GROUPS = 4
LARGEST = 1.7976931348623157e308


class Row(NamedTuple):
    """`group`: 0 to GROUPS - 1."""

    group: int
    time: int
    source: int
    offset: int
    x: float | None
    i: int | None
    s: str | None
    b: bool | None


SHARP_FLOATS = (0.0, -0.0, 5e-324, -5e-324, 2.3e-308, 1e308, -1e308, LARGEST, -LARGEST, 0.1, 1e16, 1e-200)
SHARP_INTEGERS = (0, 1, -1, 2**31, 2**32 - 1, -(2**32), 2**53 + 1, 2**63 - 1, -(2**63), 1 - 2**63)
floats = st.sampled_from(SHARP_FLOATS) | st.floats(allow_nan=False, allow_infinity=False) | st.floats(-100, 100)
integers = st.sampled_from(SHARP_INTEGERS) | st.integers(-(2**63), 2**63 - 1) | st.integers(-100, 100)
times = st.integers(0, 2) | st.sampled_from((-(2**63), 2**63 - 1))
_bodies = st.tuples(
    st.integers(0, GROUPS - 1),
    times,
    st.integers(0, 2),
    st.none() | floats,
    st.none() | integers,
    st.none() | st.text(max_size=3),
    st.none() | st.booleans(),
)


@st.composite
def row_lists(draw: st.DrawFn, max_size: int = 24) -> list[Row]:
    """Rows in any order; their offsets differ."""
    bodies = draw(st.lists(_bodies, max_size=max_size))
    offsets = draw(st.permutations(range(len(bodies))))
    return [Row(g, t, s, at, *values) for (g, t, s, *values), at in zip(bodies, offsets, strict=True)]


def numbers(values: Sequence[float | None], dtype: type) -> Numbers:
    """A column of numbers, None missing."""
    valid: Mask | None = np.array([v is not None for v in values], np.bool_)
    return Numbers(np.array([v or 0 for v in values], dtype), None if valid is None or valid.all() else valid)


def columns_of(rows: Sequence[Row]) -> Rows:
    """The rows as a kernel sees them."""
    columns: Columns = {
        "x": Numbers(*_signed([r.x for r in rows])),
        "i": numbers([r.i for r in rows], np.int64),
        "s": text_from_strings([r.s for r in rows]),
        "b": numbers([r.b for r in rows], np.bool_),
    }
    return Rows(columns, *(np.array([r[k] for r in rows], np.int64) for k in (1, 2, 3)))


def _signed(values: Sequence[float | None]) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], Mask | None]:
    """As `numbers`, but -0.0 keeps its sign."""
    missing = np.array([v is None for v in values], np.bool_)
    return np.array([0.0 if v is None else v for v in values], np.float64), ~missing if missing.any() else None


def groups_of(rows: Sequence[Row]) -> Index:
    """int64[n]."""
    return np.array([r.group for r in rows], np.int64)


def state_of(kernel: Kernel, rows: Sequence[Row]) -> State:
    """The state of all groups after these rows in one call."""
    state = kernel.empty(GROUPS)
    kernel.update(state, groups_of(rows), columns_of(rows))
    return state


def copy_of(state: State) -> State:
    """A state of its own."""
    return {name: array.copy() for name, array in state.items()}


def bits(kernel: Kernel, state: State) -> dict[str, tuple[str, bytes]]:
    """A state's arrays, type and bytes; those that hold nothing but what an empty group holds are left out."""
    told = {}
    if isinstance(kernel, Layered):  # how entries are spread over layers means nothing
        state = copy_of(state)
        kernel.settle(state)
    for name, array in state.items():
        empty = np.full(len(array), kernel.fill(name), array.dtype)
        if array.tobytes() != empty.tobytes():
            told[name] = (array.dtype.str, array.tobytes())
    return told
