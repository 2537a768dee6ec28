"""The raw values of a chunk are the same bytes whichever way they came in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.chunk import Chunk, SourcePartition, Values, join
from lepton_stream.columns import PADDING

value_lists = st.lists(st.none() | st.binary(max_size=12), max_size=12)


def as_spans(values: list[bytes | None]) -> Values:
    """The values as spans of a buffer that holds other bytes too."""
    data, start, length = b"<", [], []
    for value in values:
        start.append(len(data))
        length.append(-1 if value is None else len(value))
        data += (value or b"") + b"|"
    return Values(data + bytes(PADDING), np.array(start, np.int64), np.array(length, np.int64))


@settings(max_examples=150)
@given(value_lists)
def test_values_read_the_same_from_spans_and_from_a_list(values: list[bytes | None]) -> None:
    for held in (as_spans(values), Values.from_list(values)):
        assert len(held) == len(values)
        assert [held[row] for row in range(len(values))] == values
        assert held.to_list() == values
        assert held.to_list() is held.to_list()
        assert [held[row] for row in range(len(values))] == values


@settings(max_examples=150)
@given(value_lists)
def test_spans_tell_a_tombstone_from_an_empty_value(values: list[bytes | None]) -> None:
    for held in (as_spans(values), Values.from_list(values)):
        data, start, length = held.spans()
        spans = zip(start.tolist(), length.tolist(), strict=True)
        assert [None if n < 0 else data[a : a + n].tobytes() for a, n in spans] == values
        assert int((start + np.maximum(length, 0)).max(initial=0)) + PADDING <= len(data)
        assert held.spans()[0] is data


def test_a_chunk_is_as_long_as_its_records_not_as_its_range() -> None:
    offsets = np.array([3, 4, 9])
    chunk = Chunk(SourcePartition("t", 0), 3, 12, offsets, Values.from_list([b"a", None, b""]), np.zeros(3, np.int64))
    assert len(chunk) == 3


def chunk_of(start: int, end: int, values: list[bytes | None], *, holes: int = 1, keyed: bool = False) -> Chunk:
    """Records at every `holes`-th offset from `start` on."""
    offsets = start + holes * np.arange(len(values))
    keys = Values.from_list([b"k%d" % o if o % 3 else None for o in offsets.tolist()]) if keyed else None
    headers = [[("o", b"%d" % o)] for o in offsets.tolist()] if keyed else None
    return Chunk(SourcePartition("t", 1), start, end, offsets, Values.from_list(values), offsets * 10, keys, headers)


def told(chunk: Chunk) -> tuple[object, ...]:
    arrays = (chunk.offsets.tolist(), chunk.values.to_list(), chunk.timestamp.tolist())
    keys = None if chunk.keys is None else chunk.keys.to_list()
    headers = None if chunk.headers is None else list(chunk.headers)
    return (chunk.source, chunk.start, chunk.end, *arrays, keys, headers)


@settings(max_examples=100)
@given(value_lists, st.integers(1, 3), st.integers(0, 5), st.booleans(), st.integers(-5, 60))
def test_a_chunk_that_was_cut_joins_to_what_it_was(
    values: list[bytes | None], holes: int, more: int, keyed: bool, at: int
) -> None:
    whole = chunk_of(4, 4 + holes * len(values) + more, values, holes=holes, keyed=keyed)
    before, after = whole.cut(at)
    assert before.end == after.start == min(max(at, whole.start), whole.end)
    assert (before.offsets < before.end).all()
    assert (after.offsets >= after.start).all()
    assert all(len(part.values) == len(part) == len(part.timestamp) for part in (before, after))
    assert told(join([before, after])) == told(whole)


def test_chunks_that_do_not_follow_each_other_are_not_joined() -> None:
    first, second = chunk_of(0, 2, [b"a", b"b"]), chunk_of(3, 4, [b"d"])
    for chunks in ([], [first, second], [second, first]):
        with pytest.raises(ValueError, match="follow each other"):
            join(chunks)
