"""The table of a fingerprint index, uint64[slots, 3]: high, low, and value + 1; and how rows find their slots in it.

Open addressing with linear probing; every probe step is one pass over the rows that are not settled yet. A row's first
slot is its low word's upper half, scaled to the table's size, so a table may have any number of slots below 2**32.
A slot is empty if it holds no more than `floor`: raising it empties a whole table without a write.
Compiled twins: `compiled.slots`.
"""

from __future__ import annotations

import mmap
from typing import TypeAlias

import numpy as np

from lepton_stream.columns import Index, Mask, Words

CLAIMED = np.iinfo(np.int64).max
Table: TypeAlias = Words
BYTES_A_SLOT = 24
_HALF = np.uint64(32)
_LARGE = 1 << 22  # bytes
_PAGE = 512  # words
_MOST_TOUCHED = 1 << 20  # words a call: fresh memory costs up to 2 ms a MB


def new_table(slots: int) -> Table:
    """An empty table. A slot's three words lie together: random access is what costs here.

    A large one lies in huge pages, which halve what a look-up costs. The system clears them when they are first used,
    by random access nearly all at once (a second for ten million ids): see `Reserve`.
    """
    size = slots * BYTES_A_SLOT
    if size < _LARGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.zeros((slots, 3), np.uint64)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # shared memory gets no huge pages
    memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.uint64).reshape(slots, 3)


class Reserve:
    """A table that will be wanted soon, its pages used for the first time little by little: each use costs µs."""

    __slots__ = ("_touched", "table")

    def __init__(self, slots: int) -> None:
        self.table = new_table(slots)
        self._touched = 0

    def touch(self, share: float) -> None:
        """Use the next pages, this share of them all."""
        words = self.table.reshape(-1)
        end = self._touched + _PAGE * (1 + int(min(share * len(words), _MOST_TOUCHED) / _PAGE))
        words[self._touched : end : _PAGE] = 0
        self._touched = min(end, len(words))


def values_of(table: Table) -> Index:
    """int64[slots]: CLAIMED or a value + 1."""
    return table.view(np.int64)[:, 2]


def find(table: Table, floor: int, high: Words, low: Words) -> Index:
    """The value of each row's fingerprint, -1 where it is not in the table."""
    if not len(table):
        return np.full(len(low), -1)
    values = values_of(table)
    slots = _first_slots(table, low)
    found = values[slots]
    pending = np.flatnonzero((found > floor) & _differs(table, slots, high, low))
    while len(pending):
        at = slots[pending] = _next(table, slots[pending])
        found[pending] = values[at]
        differs = _differs(table, at, high[pending], low[pending])
        pending = pending[(found[pending] > floor) & differs]
    return np.where(found > floor, found - 1, -1)


def settle(table: Table, floor: int, high: Words, low: Words) -> tuple[Index, Mask, int]:
    """(slot of each row, whether it waits for a value, how many slots were taken). There is room for all.

    Rows that share a fingerprint settle in the same slot.
    """
    values, taken = values_of(table), 0
    slots = _first_slots(table, low)
    pending: Index = np.arange(len(slots))
    at, wanted_high, wanted_low = slots, high, low
    while len(pending):
        free = values[at] <= floor
        if free.any():
            taken += _claim(table, at[free], wanted_high[free], wanted_low[free])
        differs = _differs(table, at, wanted_high, wanted_low)
        pending, wanted_high, wanted_low = pending[differs], wanted_high[differs], wanted_low[differs]
        at = slots[pending] = _next(table, at[differs])
    return slots, values[slots] == CLAIMED, taken


def move(old: Table, table: Table, floor: int, begin: int, end: int) -> int:
    """Bring what slots [begin, end) of an outgrown table hold over, unless it has come before. Gives `end`."""
    rows = begin + np.flatnonzero(values_of(old)[begin:end] > floor)
    slots, new, _ = settle(table, floor, old[rows, 0], old[rows, 1])
    values_of(table)[slots[new]] = values_of(old)[rows[new]]
    return end


def _first_slots(table: Table, low: Words) -> Index:
    return ((low >> _HALF) * np.uint64(len(table)) >> _HALF).view(np.int64)


def _next(table: Table, at: Index) -> Index:
    following = at + 1
    following[following == len(table)] = 0
    return following


def _differs(table: Table, at: Index, high: Words, low: Words) -> Mask:
    return (table[at, 1] != low) | (table[at, 0] != high)


def _claim(table: Table, at: Index, high: Words, low: Words) -> int:
    """Of the rows that want the same slot, the last takes it; how many did."""
    values = values_of(table)
    mark = np.arange(len(at))
    values[at] = mark
    won = values[at] == mark
    taken = at[won]
    table[taken, 0], table[taken, 1], values[taken] = high[won], low[won], CLAIMED
    return len(taken)
