"""Canonical keys, cells, and which partition a group goes to."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.columns import Column, Columns, Numbers, take, text_from_strings, text_to_bytes
from lepton_stream.dedup.fingerprint import Key
from lepton_stream.shuffle.murmur2 import partition_of
from lepton_stream.shuffle.routing import canonical_key, cells, partitions_of, prints_of

KEY = Key(11, 29)
Group = tuple[str, int, bool]

groups = st.tuples(st.sampled_from(["", "a", "ab", "é"]), st.integers(-1, 1) | st.just(2**63 - 1), st.booleans())
windows = st.integers(-2, 2) | st.sampled_from((-(2**62), 2**62))
cell_lists = st.lists(st.tuples(groups, windows), max_size=30)


def columns_of(rows: list[Group]) -> Columns:
    return {
        "s": text_from_strings([s for s, _, _ in rows]),
        "i": Numbers(np.array([i for _, i, _ in rows], np.int64)),
        "b": Numbers(np.array([b for _, _, b in rows], np.bool_)),
    }


def keys(*columns: Column) -> list[bytes]:
    return text_to_bytes(canonical_key(list(columns)))


def test_a_single_text_field_is_its_own_key() -> None:
    assert keys(text_from_strings(["a", "", '"é"'])) == [b"a", b"", '"é"'.encode()]


def test_other_single_fields_are_json() -> None:
    assert keys(Numbers(np.array([1, -5, 2**63 - 1]))) == [b"1", b"-5", b"9223372036854775807"]
    assert keys(Numbers(np.array([True, False]))) == [b"true", b"false"]


@settings(max_examples=80)
@given(st.lists(groups, max_size=12))
def test_several_fields_are_a_json_array_that_reads_back(rows: list[Group]) -> None:
    found = keys(*columns_of(rows).values())
    assert [orjson.loads(key) for key in found] == [list(row) for row in rows]
    assert all(b" " not in key for key in found)


def cells_wanted(rows: list[Any]) -> list[int]:
    """Each row's cell, numbered in the order of first rows."""
    numbers: dict[Any, int] = {}
    return [numbers.setdefault(row, len(numbers)) for row in rows]


@settings(max_examples=150)
@given(cell_lists)
def test_rows_share_a_cell_exactly_when_group_and_window_are_equal(rows: list[tuple[Group, int]]) -> None:
    window = np.array([w for _, w in rows], np.int64)
    group = list(columns_of([g for g, _ in rows]).values())
    found = cells(group, window, KEY)
    wanted = cells_wanted(rows)
    assert found.code.tolist() == wanted
    assert found.first.tolist() == [wanted.index(k) for k in range(len(set(wanted)))]
    assert found.window.tolist() == [rows[k][1] for k in found.first]
    assert len(found) == len(set(rows))
    alone = prints_of([take(c, found.first) for c in group], found.window, KEY)
    assert [a.tolist() for a in found.prints] == [a.tolist() for a in alone]


@settings(max_examples=60)
@given(st.lists(windows, max_size=30))
def test_without_a_group_the_window_alone_is_the_cell(numbers: list[int]) -> None:
    assert cells([], np.array(numbers, np.int64), KEY).code.tolist() == cells_wanted(numbers)


def test_many_windows_of_one_group_never_share_a_print() -> None:
    window = np.concatenate([np.arange(-50_000, 50_000), np.array([2**62, -(2**62)])])
    for group in ([], [text_from_strings(["a"] * len(window))]):
        found = prints_of(group, window, KEY)
        assert len(set(zip(found.high.tolist(), found.low.tolist(), strict=True))) == len(window)
        # the index looks at the low bits first: they must differ too, or it would walk from slot to slot
        assert len(np.unique(found.low & np.uint64((1 << 20) - 1))) > 0.9 * len(window)


@settings(max_examples=60)
@given(st.lists(groups, min_size=1, max_size=12), st.integers(1, 7))
def test_a_group_goes_to_the_partition_of_its_canonical_key(rows: list[Group], partitions: int) -> None:
    columns, chosen = columns_of(rows), np.arange(len(rows))[::-1]
    for by in (("s",), ("i",), ("s", "b"), ("b", "i", "s")):
        wanted = partition_of(canonical_key([columns[name] for name in by]), partitions)[chosen]
        assert partitions_of(columns, by, chosen, partitions).tolist() == wanted.tolist()


def test_without_a_group_there_is_one_partition() -> None:
    assert partitions_of({}, (), np.arange(5), 4).tolist() == [0] * 5
