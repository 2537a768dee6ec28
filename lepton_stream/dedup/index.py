"""A hash index over fingerprints in plain arrays: many look-ups and insertions in one call.

Open addressing with linear probing; every probe step is one pass over the rows that are not settled yet. Rows of one
call that share a fingerprint settle in the same slot.
"""

from __future__ import annotations

import numpy as np

from lepton_stream.columns import Index, Mask, Words
from lepton_stream.dedup.fingerprint import Fingerprints

NOTHING = -1
"""What `find` gives for a fingerprint that is not in the index."""

_EMPTY, _CLAIMED = 0, -1  # a stored value v is held as v + 1, so that a fresh table is zeros: pages come when used
_FULL = 0.6  # share of slots in use above which probing gets slow
_SLOT = np.dtype([("high", "<u8"), ("low", "<u8"), ("value", "<i8"), ("first", "<i8")])
BYTES_A_SLOT = _SLOT.itemsize


class FingerprintIndex:
    """Fingerprint -> integer >= 0. 32 bytes a slot; at most 60 % of the slots are in use."""

    __slots__ = ("_first", "_high", "_low", "_mask", "_most", "_values", "used")

    def __init__(self, expected: int, most: int | None = None) -> None:
        """`expected`: room for that many fingerprints without growing. `most`: more will hardly be needed."""
        self._most = most
        slots = 64
        while slots * _FULL <= expected:
            slots *= 2
        self._mask = np.int64(slots - 1)
        table = np.zeros(slots, _SLOT)  # a slot's four words share a cache line: random access is what costs here
        self._high, self._low = table["high"], table["low"]
        self._first, self._values = table["first"], table["value"]
        self.used = 0

    @property
    def slots(self) -> int:
        """Slots in all."""
        return len(self._values)

    @property
    def capacity(self) -> int:
        """Fingerprints that fit."""
        return int(self.slots * _FULL)

    def make_room(self, more: int) -> None:
        """Grow, if need be, until so many more fingerprints fit."""
        if self.used + more <= self.capacity:
            return
        old = np.flatnonzero(self._values != _EMPTY)
        by = 4 * self.capacity if self._most is None else min(4 * self.capacity, self._most)
        wider = FingerprintIndex(max(self.used + more, by), self._most)
        slots, _ = wider.settle(Fingerprints(self._high[old], self._low[old]))
        wider._values[slots] = self._values[old]
        for name in self.__slots__:
            setattr(self, name, getattr(wider, name))

    def find(self, prints: Fingerprints) -> Index:
        """The value of each row's fingerprint, or NOTHING."""
        slots = prints.low.view(np.int64) & self._mask
        found = self._values[slots]
        pending = np.flatnonzero((found != _EMPTY) & self._differs(slots, prints.high, prints.low))
        while len(pending):
            at = slots[pending] = (slots[pending] + 1) & self._mask
            found[pending] = self._values[at]
            differs = self._differs(at, prints.high[pending], prints.low[pending])
            pending = pending[(found[pending] != _EMPTY) & differs]
        return found - 1

    def settle(self, prints: Fingerprints) -> tuple[Index, Mask]:
        """(slot of each row, whether its fingerprint is new); new slots wait for a value, see `put`.

        Grows where needed. Slots are good until the next call.
        """
        self.make_room(len(prints.low))
        slots = prints.low.view(np.int64) & self._mask
        pending: Index = np.arange(len(slots))
        at, high, low = slots, prints.high, prints.low
        while len(pending):
            free = self._values[at] == _EMPTY
            if free.any():
                self._claim(at[free], high[free], low[free])
            differs = self._differs(at, high, low)
            pending, high, low = pending[differs], high[differs], low[differs]
            at = slots[pending] = (at[differs] + 1) & self._mask
        return slots, self._values[slots] == _CLAIMED

    def get(self, slots: Index) -> Index:
        """The values in these slots; those of slots without a value mean nothing."""
        return self._values[slots] - 1

    def put(self, slots: Index, values: Index) -> None:
        """Write values >= 0; where a slot repeats, the last one stays."""
        self._values[slots] = values + 1

    def first_rows(self, slots: Index) -> Index:
        """For each row, the first row of the call that has the same slot."""
        self._first[slots[::-1]] = np.arange(len(slots))[::-1]
        return self._first[slots]

    def _differs(self, at: Index, high: Words, low: Words) -> Mask:
        return (self._low[at] != low) | (self._high[at] != high)

    def _claim(self, at: Index, high: Words, low: Words) -> None:
        """Of the rows that want the same slot, the last takes it."""
        row = np.arange(len(at))
        self._first[at] = row
        won = self._first[at] == row
        taken = at[won]
        self._high[taken], self._low[taken], self._values[taken] = high[won], low[won], _CLAIMED
        self.used += len(taken)
