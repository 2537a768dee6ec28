"""Keys: the canonical bytes of a group, and which rows share one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from lepton_stream.columns import Column, Columns, Index, Text, compact, take, text_from_bytes, to_list
from lepton_stream.compiled import switch
from lepton_stream.dedup.fingerprint import Fingerprints, Key, fingerprints
from lepton_stream.dedup.index import FingerprintIndex
from lepton_stream.shuffle.murmur2 import partition_of


def canonical_key(columns: Sequence[Column]) -> Text:
    """One key a row: the text itself for a single text field, else JSON (an array where there are several fields)."""
    if len(columns) == 1 and isinstance(columns[0], Text):
        return columns[0]
    listed = [to_list(c) for c in columns]
    if len(columns) == 1:
        return text_from_bytes([compact(orjson.dumps(v)) for v in listed[0]])
    return text_from_bytes([compact(orjson.dumps(row)) for row in zip(*listed, strict=True)])


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells, (group, window) pairs, that a chunk's rows fall into.

    `code` int64[n]: each row's cell. For each of the m cells: `first`, a row of it; `window`, its number; `prints`.
    """

    code: Index
    first: Index
    window: Index
    prints: Fingerprints

    def __len__(self) -> int:
        return len(self.first)


def cells(group: Sequence[Column], window: Index, key: Key) -> Cells:
    """Which rows share group and window. Cells are numbered in the order of their first rows."""
    prints = prints_of(group, window, key)
    functions = switch.current()
    code, first = functions.cells(*prints) if functions is not None else _codes(prints)
    return Cells(code, first, window[first], Fingerprints(prints.high[first], prints.low[first]))


def _codes(prints: Fingerprints) -> tuple[Index, Index]:
    """(code of each row, first row of each code); rows with equal fingerprints share one."""
    index = FingerprintIndex(len(prints.low))
    slots, _ = index.settle(prints)
    owner = index.first_rows(slots)
    is_first = owner == np.arange(len(slots))
    return (np.cumsum(is_first) - 1)[owner], np.flatnonzero(is_first)


def prints_of(group: Sequence[Column], window: Index, key: Key) -> Fingerprints:
    """Fingerprints of (group, window) pairs; of the windows alone where nothing is grouped by."""
    return mixed(prints_of_groups(group, len(window), key), window)


def prints_of_groups(group: Sequence[Column], n: int, key: Key) -> Fingerprints:
    """Fingerprints of n groups, all the same where nothing is grouped by."""
    return fingerprints(group, key) if group else Fingerprints(np.zeros(n, np.uint64), np.zeros(n, np.uint64))


def mixed(prints: Fingerprints, window: Index) -> Fingerprints:
    """Those of groups with a window each."""
    functions = switch.current()
    if functions is not None:
        both = Fingerprints(np.empty(len(window), np.uint64), np.empty(len(window), np.uint64))
        functions.mix(*prints, np.ascontiguousarray(window), *both)
        return both
    number = window.view(np.uint64)
    # the multiplier is odd, so one group's windows stay apart for certain
    low = prints.low + number * np.uint64(0x9E3779B97F4A7C15)
    return Fingerprints(prints.high ^ (low >> np.uint64(29)) ^ number, low ^ (low >> np.uint64(32)))


def partitions_of(columns: Columns, group_by: tuple[str, ...], rows: Index, partitions: int) -> Index:
    """int64[m]: the shuffle partition of each named row's group."""
    if partitions == 1 or not group_by:
        return np.zeros(len(rows), np.int64)
    return partition_of(canonical_key([take(columns[name], rows) for name in group_by]), partitions)
