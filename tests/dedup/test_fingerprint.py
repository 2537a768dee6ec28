"""Fingerprints tell typed values apart, and are the same whatever rows surround them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lepton_stream.columns import Column, Numbers, concat, take, text_from_strings
from lepton_stream.dedup.fingerprint import LONG, Fingerprints, Key, fingerprints
from tests.dedup.siphash import Value, siphash, words_of

SECRET = bytes(range(1, 17))
KEY = Key.from_bytes(SECRET)
TYPES = {"float": np.float64, "int": np.int64, "bool": np.bool_}
EDGES = (0, 1, 7, 8, 9, 15, 16, 17, LONG - 1, LONG, LONG + 1, LONG + 8, 600)

lengths = st.sampled_from(EDGES) | st.integers(0, 600)
texts = st.builds(lambda n, word: (word * (n + 1))[:n], lengths, st.text("abcé\x00", min_size=1, max_size=5))
VALUES = {
    "str": texts,
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "int": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
}
kinds = st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=3)


def column_of(kind: str, values: Sequence[Value]) -> Column:
    if kind == "str":
        return text_from_strings([None if v is None else str(v) for v in values])
    valid = np.array([v is not None for v in values], np.bool_)
    return Numbers(np.array([0 if v is None else v for v in values], TYPES[kind]), None if valid.all() else valid)


def prints(kinds: Sequence[str], rows: Sequence[Sequence[Value]]) -> list[tuple[int, int]]:
    columns = [column_of(kind, [row[k] for row in rows]) for k, kind in enumerate(kinds)]
    return pairs(fingerprints(columns, KEY))


def pairs(found: Fingerprints) -> list[tuple[int, int]]:
    return list(zip(found.high.tolist(), found.low.tolist(), strict=True))


def rows_of(kinds: Sequence[str]) -> st.SearchStrategy[list[tuple[Value, ...]]]:
    return st.lists(st.tuples(*(st.none() | VALUES[kind] for kind in kinds)), min_size=1, max_size=8)


tables = kinds.flatmap(lambda k: st.tuples(st.just(k), rows_of(k)))


@settings(max_examples=100)
@given(tables)
@example((["str"], [("x" * n,) for n in EDGES]))
@example((["str", "str"], [("x" * n, "y") for n in EDGES[4:]]))
def test_fingerprints_are_those_of_a_slow_siphash(table: tuple[list[str], list[tuple[Value, ...]]]) -> None:
    kinds, rows = table
    for row, found in zip(rows, prints(kinds, rows), strict=True):
        words = [w for value, kind in zip(row, kinds, strict=True) for w in words_of(value, kind, SECRET, LONG)]
        assert found == siphash(words, SECRET), row


@pytest.mark.parametrize(
    ("words", "published"),
    [  # SipHash-2-4-128 of no byte, of 00 and of 00 .. 07, from the authors' vectors; key 00 .. 0f
        ([0], "a3817f04ba25a8e66df67214c7550293"),
        ([1 << 56], "da87c1d86b99af44347659119b22fc45"),
        ([0x0706050403020100, 8 << 56], "3b62a9ba6258f5610f83e264f31497b4"),
    ],
)
def test_the_slow_siphash_is_the_published_one(words: list[int], published: str) -> None:
    first, second = siphash(words, bytes(range(16)), 2, 4)
    assert struct.pack("<QQ", first, second).hex() == published


@settings(max_examples=100)
@given(tables, st.data())
def test_rows_share_a_fingerprint_exactly_when_their_values_are_equal(
    table: tuple[list[str], list[tuple[Value, ...]]], data: st.DataObject
) -> None:
    kinds, rows = table
    rows = [*rows, *data.draw(st.lists(st.sampled_from(rows), max_size=4))]
    assert len(set(prints(kinds, rows))) == len(set(rows))


@settings(max_examples=100)
@given(tables, st.data())
def test_a_fingerprint_does_not_depend_on_the_rows_around_it(
    table: tuple[list[str], list[tuple[Value, ...]]], data: st.DataObject
) -> None:
    kinds, rows = table
    alone = [prints(kinds, [row])[0] for row in rows]
    assert prints(kinds, rows) == alone
    columns = [column_of(kind, [row[k] for row in rows]) for k, kind in enumerate(kinds)]
    order = np.array(data.draw(st.permutations(range(len(rows)))), np.int64)
    assert pairs(fingerprints([take(c, order) for c in columns], KEY)) == [alone[i] for i in order]
    doubled = [concat([c, take(c, order)]) for c in columns]
    assert pairs(fingerprints(doubled, KEY)) == [*alone, *(alone[i] for i in order)]


def test_one_in_every_type_and_null_are_different_ids() -> None:
    alike: list[tuple[str, Value]] = [("int", 1), ("float", 1.0), ("str", "1"), ("bool", True), ("int", None)]
    zeros: list[tuple[str, Value]] = [("int", 0), ("float", 0.0), ("str", ""), ("bool", False)]
    found = [prints([kind], [(value,)])[0] for kind, value in alike + zeros]
    assert len(set(found)) == len(found)


def test_a_null_is_no_empty_text_and_no_zero() -> None:
    for kind, empty in (("str", ""), ("int", 0), ("float", 0.0), ("bool", False)):
        null, value = prints([kind], [(None,), (empty,)])
        assert null != value


def test_minus_zero_is_zero() -> None:
    assert len(set(prints(["float"], [(0.0,), (-0.0,)]))) == 1


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("ab", "c"), ("a", "bc")),
        (("", "abc"), ("abc", "")),
        (("a\x00", ""), ("a", "\x00")),
        (("a" * 8, "b" * 8), ("a" * 8 + "b" * 8, "")),
        ((None, "a"), ("a", None)),
        (("", None), (None, "")),
    ],
)
def test_fields_do_not_run_into_each_other(left: tuple[str, str], right: tuple[str, str]) -> None:
    a, b = prints(["str", "str"], [left, right])
    assert a != b


def test_padding_does_not_make_texts_equal() -> None:
    words = ["a" + "\x00" * n for n in range(20)]
    assert len(set(prints(["str"], [(w,) for w in words]))) == len(words)


def test_another_key_gives_other_fingerprints() -> None:
    column = [text_from_strings(["a"])]
    found = {pairs(fingerprints(column, Key(k0, k1)))[0] for k0, k1 in ((1, 2), (2, 1), (1, 3), (0, 2))}
    assert len(found) == 4


def test_no_rows_have_no_fingerprints() -> None:
    for column in (text_from_strings([]), Numbers(np.zeros(0, np.int64))):
        assert pairs(fingerprints([column], KEY)) == []
