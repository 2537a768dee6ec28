"""A hash index over fingerprints in plain arrays: many look-ups and insertions in one call.

An index that outgrows its table moves to a wider one piece by piece, a few slots with every call, so that no call takes
long; meanwhile what the wider table lacks is looked up in the outgrown one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lepton_stream.columns import Index, Mask, Words
from lepton_stream.compiled import switch
from lepton_stream.dedup import slots as portable
from lepton_stream.dedup.fingerprint import Fingerprints
from lepton_stream.dedup.slots import BYTES_A_SLOT, Reserve, Table, new_table, values_of

__all__ = ["BYTES_A_SLOT", "NOTHING", "FingerprintIndex"]

NOTHING = -1
"""What `find` gives for a fingerprint that is not in the index."""

_FULL = 0.75  # share of slots in use above which probing gets slow
_LEAST_SLOTS = 64
_MOVED_A_CALL = 1 << 14
_MOVED_A_ROW = 2  # slots; a table holds at least twice as much as the one before, so moving ends before it is full
_SOON = 0.75  # of the capacity: from there on the next table is made ready
_LARGE = 1 << 20  # fingerprints: smaller tables grow fourfold, as fresh memory costs more than what it saves
_NO_TABLE = new_table(0)


def _path() -> Any:
    return switch.current() or portable


class FingerprintIndex:
    """Fingerprint -> integer >= 0. 24 bytes a slot; at most three quarters of the slots are in use."""

    __slots__ = ("_floor", "_most", "_moved", "_outgrown", "_reserve", "_table", "used")

    def __init__(self, expected: int, most: int | None = None) -> None:
        """`expected`: room for that many fingerprints without growing. `most`: more will hardly be needed."""
        self._most = most
        self._table = new_table(slots_for(expected))
        self._outgrown: Table = _NO_TABLE
        self._reserve: Reserve | None = None
        self._moved = 0
        self._floor = 0
        self.used = 0

    def forget(self, below: int) -> None:
        """Empty it at once; from now on it takes values >= `below`, and all that it held are smaller."""
        self._outgrown, self._moved = _NO_TABLE, 0
        self._floor, self.used = below, 0

    @classmethod
    def of(cls, table: Table, most: int) -> FingerprintIndex:
        """An index with this empty table."""
        self = cls(0, most)
        self._table = table
        return self

    @property
    def slots(self) -> int:
        """Slots in all."""
        reserved = 0 if self._reserve is None else len(self._reserve.table)
        return len(self._table) + len(self._outgrown) + reserved

    @property
    def capacity(self) -> int:
        """Fingerprints that fit."""
        return int(len(self._table) * _FULL)

    def make_room(self, more: int) -> None:
        """Begin to grow, if need be, so that so many more fingerprints fit."""
        if self.used + more <= self.capacity:
            return
        self._move(len(self._outgrown))  # begun and not done: as good as never
        self._outgrown, self._moved = self._table, 0
        wanted = slots_for(max(self.used + more, self._wider()))
        ready = self._reserve is not None and len(self._reserve.table) >= wanted
        self._table = self._reserve.table if self._reserve is not None and ready else new_table(wanted)
        self._reserve = None
        if len(self._outgrown) <= _MOVED_A_CALL:
            self._move(len(self._outgrown))

    def _wider(self) -> int:
        by = (4 if self.capacity < _LARGE else 2) * self.capacity
        return by if self._most is None or 4 * by <= 3 * self._most else self._most

    def _go_on(self, rows: int) -> None:
        """What a call of so many rows does for those to come: move on, and make the next table ready in time."""
        if len(self._outgrown):
            self._move(_MOVED_A_CALL + _MOVED_A_ROW * rows)
        elif self.used > _SOON * self.capacity and len(self._table) > _MOVED_A_CALL and self._wider() > self.capacity:
            if self._reserve is None:
                self._reserve = Reserve(slots_for(self._wider()))
            self._reserve.touch(1.25 * rows / ((1 - _SOON) * self.capacity))

    def find(self, prints: Fingerprints) -> Index:
        """The value of each row's fingerprint, or NOTHING."""
        high, low = _plain(prints)
        found: Index = _path().find(self._table, self._floor, high, low)
        if len(self._outgrown):
            rows = np.flatnonzero(found == NOTHING)
            found[rows] = _path().find(self._outgrown, self._floor, high[rows], low[rows])
        return found

    def settle(self, prints: Fingerprints) -> tuple[Index, Mask]:
        """(slot of each row, whether its fingerprint is new); new slots wait for a value, see `put`.

        Rows that share a fingerprint settle in the same slot. Grows where needed. Slots are good until the next call.
        """
        self.make_room(len(prints.low))
        high, low = _plain(prints)
        slots, new, taken = _path().settle(self._table, self._floor, high, low)
        self.used += taken
        if len(self._outgrown):
            rows = np.flatnonzero(new)
            found = _path().find(self._outgrown, self._floor, high[rows], low[rows])
            known = found != NOTHING
            self.put(slots[rows[known]], found[known])
            self.used -= len(np.unique(slots[rows[known]]))
            new[rows[known]] = False
        self._go_on(len(low))
        return slots, new

    def judge(self, prints: Fingerprints, offsets: Index, memory: int, old: FingerprintIndex, functions: Any) -> Mask:
        """`DedupMemory.seen` in one pass of compiled `functions`; `old`: the generation before."""
        self.make_room(len(offsets))
        high, low = _plain(prints)
        duplicate = np.empty(len(offsets), np.bool_)
        ours, theirs = (self._table, self._outgrown, self._floor), (old._table, old._outgrown, old._floor)
        self.used += functions.seen(*ours, *theirs, high, low, np.ascontiguousarray(offsets), memory, duplicate)
        self._go_on(len(low))
        return duplicate

    def get(self, slots: Index) -> Index:
        """The values in these slots; those of slots without a value mean nothing."""
        return values_of(self._table)[slots] - 1

    def put(self, slots: Index, values: Index) -> None:
        """Write values >= 0; where a slot repeats, the last one stays."""
        values_of(self._table)[slots] = values + 1

    def first_rows(self, slots: Index) -> Index:
        """For each row, the first row of the call that has the same slot."""
        values = values_of(self._table)
        held = values[slots]
        values[slots[::-1]] = np.arange(len(slots))[::-1]  # the slots' own memory tells, and is put back
        first = values[slots]
        values[slots] = held
        return first

    def _move(self, slots: int) -> None:
        """Bring over what the next so many slots of the outgrown table hold."""
        end = min(self._moved + slots, len(self._outgrown))
        self._moved = _path().move(self._outgrown, self._table, self._floor, self._moved, end)
        if end == len(self._outgrown):
            self._outgrown, self._moved = _NO_TABLE, 0


def slots_for(expected: int) -> int:
    """Slots of a table in which so many fingerprints fit."""
    return max(_LEAST_SLOTS, int(expected / _FULL) + 2)


def _plain(prints: Fingerprints) -> tuple[Words, Words]:
    """Without gaps, as compiled functions want them."""
    return np.ascontiguousarray(prints.high), np.ascontiguousarray(prints.low)
