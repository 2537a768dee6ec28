"""Which records are duplicates: the memory of ids of one source partition.

A record is a duplicate if the same id occurred within the previous `memory` offsets of its partition. Every occurrence
refreshes the id, duplicates and late ones too, so that a memory rebuilt from the log decides as the old one did.
"""

from __future__ import annotations

import numpy as np

from lepton_stream.columns import Index, Mask
from lepton_stream.dedup.fingerprint import Fingerprints
from lepton_stream.dedup.index import BYTES_A_SLOT, NOTHING, FingerprintIndex

_START = 1 << 18


class DedupMemory:
    """The last offset of every id seen, in two generations of `memory` offsets: forgetting never costs a rehash.

    Bytes: 32 a slot, two tables that start with 16 MB and grow while the first generation fills: at most 134 MB for a
    memory of a million ids, 1.1 GB for ten million.
    """

    __slots__ = ("_new", "_old", "_turn", "memory")

    def __init__(self, memory: int) -> None:
        """`memory`: in offsets, at least 1."""
        self.memory = memory
        self._new = FingerprintIndex(min(_START, memory), memory)
        self._old = FingerprintIndex(0)
        self._turn: int | None = None

    def seen(self, prints: Fingerprints, offsets: Index) -> Mask:
        """bool[n]: which records are duplicates; remembers all. Offsets ascend from call to call."""
        if not len(offsets):
            return np.zeros(0, np.bool_)
        self._turn_over(int(offsets[0]))
        slots, new = self._new.settle(prints)
        before = np.where(new, NOTHING, self._new.get(slots))
        if self._old.used:
            before[new] = self._old.find(Fingerprints(prints.high[new], prints.low[new]))
        duplicate = (before != NOTHING) & (offsets - before <= self.memory)
        self._judge_repeats(duplicate, slots, offsets)
        self._new.put(slots, offsets)  # of several, the last stays: offsets ascend
        return duplicate

    def _judge_repeats(self, duplicate: Mask, slots: Index, offsets: Index) -> None:
        """Records whose id occurs before them in the same call are judged by that occurrence."""
        again = self._new.first_rows(slots) != np.arange(len(slots))
        if not again.any():
            return
        rows = np.flatnonzero(np.isin(slots, slots[again]))
        rows = rows[np.argsort(slots[rows], kind="stable")]
        follows = slots[rows[1:]] == slots[rows[:-1]]
        later, earlier = rows[1:][follows], rows[:-1][follows]
        duplicate[later] = offsets[later] - offsets[earlier] <= self.memory

    def _turn_over(self, at: int) -> None:
        """Once the new generation spans `memory` offsets, the old one is out of every record's reach."""
        if self._turn is None:
            self._turn = at
        elif at - self._turn >= self.memory:
            self._old, self._new, self._turn = (
                self._new,
                FingerprintIndex(min(self._new.used, self.memory), self.memory),
                at,
            )

    @property
    def bytes(self) -> int:
        """Memory in use."""
        return (self._new.slots + self._old.slots) * BYTES_A_SLOT

    def __len__(self) -> int:
        """Ids held, those out of reach included."""
        return self._new.used + self._old.used
