"""Values copied out of a buffer are the same on both paths, and hold nothing of their neighbours."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.chunk import Values
from lepton_stream.columns import PADDING
from lepton_stream.runtime.gathering import copied, joined, reordered
from tests.compiled.both_ways import both, spans_of

records = st.lists(st.none() | st.binary(max_size=20), max_size=12)


@given(records, st.randoms(use_true_random=False))
def test_copies_in_any_order_hold_the_same_values(values: list[bytes | None], draw: object) -> None:
    order = list(range(len(values)))
    draw.shuffle(order)  # type: ignore[attr-defined]
    order = order[: len(order) // 2 + 1]

    def copy() -> Values:
        return copied(reordered(spans_of(values), np.array(order, np.int64)))

    for got in both(copy):
        assert [got[i] for i in range(len(got))] == [values[i] for i in order]
        assert len(got.spans()[0]) == sum(len(values[i] or b"") for i in order) + PADDING


@given(st.lists(records, min_size=1, max_size=4))
def test_parts_are_joined_in_their_order(parts: list[list[bytes | None]]) -> None:
    got = joined([spans_of(part) for part in parts])
    assert [got[i] for i in range(len(got))] == [value for part in parts for value in part]
