"""Columns keep their values through every way they are cut and put together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.columns import (
    PADDING,
    Column,
    Numbers,
    Text,
    Told,
    concat,
    held_once,
    is_valid,
    listed,
    pack,
    take,
    take_all,
    text_from_bytes,
    text_from_strings,
    text_to_bytes,
    to_list,
    told_rows,
    told_together,
)

words = st.none() | st.sampled_from(["", "\x00", "a\x00", "é", "日本", "🙂"]) | st.text(max_size=12)
word_lists = st.lists(words, max_size=12)
DTYPES: dict[type, st.SearchStrategy[float]] = {
    np.float64: st.floats(allow_nan=False, allow_infinity=False),
    np.int64: st.integers(-(2**63), 2**63 - 1),
}


def numbers(values: Sequence[float | None], dtype: type) -> Numbers:
    valid = np.array([v is not None for v in values], np.bool_)
    return Numbers(np.array([0 if v is None else v for v in values], dtype), None if valid.all() else valid)


def assert_well_formed(column: Column) -> None:
    """What the module promises of every column: padding, and empty spans for missing rows."""
    if isinstance(column, Text):
        assert int((column.start + column.length).max(initial=0)) + PADDING <= len(column.data)
        assert not column.length[~is_valid(column)].any()
    else:
        assert not column.values[~is_valid(column)].any()


@settings(max_examples=150)
@given(word_lists)
def test_text_reads_back_as_it_was_given(values: list[str | None]) -> None:
    for column in (text_from_strings(values), text_from_bytes([None if v is None else v.encode() for v in values])):
        assert to_list(column) == values
        assert text_to_bytes(column) == [(v or "").encode() for v in values]
        assert (column.valid is None) == (None not in values)
        assert_well_formed(column)


def test_lone_surrogates_are_refused() -> None:
    for values in (["a", "\ud800"], ["\ud800", None]):
        with pytest.raises(UnicodeEncodeError):
            text_from_strings(values)


@settings(max_examples=150)
@given(word_lists, st.data())
def test_take_by_index_mask_and_slice_gives_those_rows(values: list[str | None], data: st.DataObject) -> None:
    n = len(values)
    chosen = data.draw(st.lists(st.integers(0, n - 1), max_size=8)) if n else []
    mask = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    integers = [None if v is None else len(v) for v in values]
    for column, plain in ((text_from_strings(values), values), (numbers(integers, np.int64), integers)):
        assert to_list(take(column, np.array(chosen, np.int64))) == [plain[i] for i in chosen]
        assert to_list(take(column, np.array(mask, np.bool_))) == [v for v, m in zip(plain, mask, strict=True) if m]
        assert to_list(take(column, slice(1, None, 2))) == plain[1::2]
    both = take_all({"a": text_from_strings(values), "b": numbers(integers, np.int64)}, slice(0, 2))
    assert {name: to_list(c) for name, c in both.items()} == {"a": values[:2], "b": integers[:2]}


@settings(max_examples=100)
@given(word_lists, st.data())
def test_packed_text_holds_its_own_bytes_and_no_others(values: list[str | None], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=8)) if values else []
    taken = take(text_from_strings(values), np.array(chosen, np.int64))
    assert isinstance(taken, Text)
    packed = pack(taken)
    assert to_list(packed) == [values[i] for i in chosen]
    assert packed.data.tobytes() == b"".join((values[i] or "").encode() for i in chosen) + bytes(PADDING)


@settings(max_examples=100)
@given(st.lists(word_lists, min_size=1, max_size=4))
def test_concat_gives_one_text_after_the_other(pieces: list[list[str | None]]) -> None:
    joined = concat([take(text_from_strings(p), slice(None, None, -1)) for p in pieces])
    assert to_list(joined) == [v for p in pieces for v in p[::-1]]
    assert_well_formed(joined)


@settings(max_examples=60)
@given(st.data(), st.sampled_from(sorted(DTYPES, key=str)))
def test_concat_gives_one_number_after_the_other(data: st.DataObject, dtype: type) -> None:
    pieces = data.draw(st.lists(st.lists(st.none() | DTYPES[dtype], max_size=6), min_size=1, max_size=4))
    joined = concat([numbers(p, dtype) for p in pieces])
    assert to_list(joined) == [v for p in pieces for v in p]
    assert isinstance(joined, Numbers)
    assert joined.values.dtype == dtype
    assert_well_formed(joined)


def test_concat_of_nothing_or_of_mixed_kinds_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        concat([])
    with pytest.raises(TypeError, match="numbers and text"):
        concat([text_from_strings(["a"]), numbers([1], np.int64)])


def test_concat_never_rounds_integers_to_floats() -> None:
    with pytest.raises(TypeError, match="several types"):
        concat([numbers([2**53 + 1], np.int64), numbers([0.5], np.float64)])


@pytest.mark.parametrize("rows", [[], [2, 0], [1, 1, 1]])
def test_published_values_are_joined_and_taken_whether_a_column_holds_them_or_not(rows: list[int]) -> None:
    whole, broken = numbers([1, None, 3], np.int64), numbers([0.5, 1.5, None], np.float64)
    words = text_from_strings(["a", None, "é"])
    mixed: list[object] = [[1], 2**70, None]
    every: list[Told] = [whole, broken, words, mixed]
    for left in every:
        for right in every:
            wanted, joined = listed(left) + listed(right), told_together([left, right])
            assert listed(joined) == wanted
            assert listed(told_rows(joined, np.array(rows, np.int64))) == [wanted[i] for i in rows]
    assert not isinstance(told_together([whole, whole]), list)
    assert not isinstance(told_together([words, words, words]), list)


def test_a_value_that_is_held_once_is_told_from_one_that_stands_in_every_row() -> None:
    assert held_once(Numbers(np.broadcast_to(np.int64(3), 5)))
    assert not held_once(Numbers(np.full(5, 3)))
    assert not held_once(Numbers(np.broadcast_to(np.int64(3), 0)))
