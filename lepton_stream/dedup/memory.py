"""Which records are duplicates: the memory of ids of one source partition.

A record is a duplicate if the same id occurred within the previous `memory` offsets of its partition. Every occurrence
refreshes the id, duplicates and late ones too, so that a memory rebuilt from the log decides as the old one did.
"""

from __future__ import annotations

import numpy as np

from lepton_stream.columns import Index, Mask
from lepton_stream.compiled import switch
from lepton_stream.dedup.fingerprint import Fingerprints
from lepton_stream.dedup.index import BYTES_A_SLOT, NOTHING, FingerprintIndex, slots_for
from lepton_stream.dedup.slots import Reserve

_START = 1 << 18
_CHUNK = 1 << 14
_SOON = 0.75


class DedupMemory:
    """The last offset of every id seen, in two generations of `memory` offsets: forgetting never costs a rehash.

    Bytes: 24 a slot, two tables that start with 8 MB and grow while the first generation fills: at most 66 MB for a
    memory of a million ids, 651 MB for ten million (and a quarter of a table more while it moves to a wider one).
    """

    __slots__ = ("_most", "_new", "_old", "_reserve", "_turn", "memory")

    def __init__(self, memory: int) -> None:
        """`memory`: in offsets, at least 1."""
        self.memory = memory
        self._most = memory + memory // 64 + _CHUNK  # a generation ends with the first chunk that begins behind it
        self._new = FingerprintIndex(min(_START, memory), self._most)
        self._old = FingerprintIndex(0)
        self._turn: int | None = None
        self._reserve: Reserve | None = None

    def seen(self, prints: Fingerprints, offsets: Index) -> Mask:
        """bool[n]: which records are duplicates; remembers all. Offsets ascend from call to call."""
        if not len(offsets):
            return np.zeros(0, np.bool_)
        self._turn_over(int(offsets[0]))
        self._look_ahead(offsets)
        functions = switch.current()
        if functions is not None:
            return self._new.judge(prints, offsets, self.memory, self._old, functions)
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
            self._old, self._new, self._turn = self._new, self._next_generation(at), at

    def _next_generation(self, at: int) -> FingerprintIndex:
        """In the old one's tables once more, if they are large enough: giving memory back and taking new costs."""
        reserve, self._reserve = self._reserve, None
        if self._old.capacity >= self._expected():
            self._old.forget(at)
            return self._old
        if reserve is not None and len(reserve.table) >= slots_for(self._expected()):
            return FingerprintIndex.of(reserve.table, self._most)
        return FingerprintIndex(self._expected(), self._most)

    def _expected(self) -> int:
        return self._new.used if 2 * self._new.used < self._most else self._most

    def _look_ahead(self, offsets: Index) -> None:
        """In a generation's last quarter, make the next one's table ready, unless the old one's will do."""
        assert self._turn is not None
        if int(offsets[-1]) - self._turn < _SOON * self.memory or self._old.capacity >= self._expected():
            return
        if self._reserve is None:
            self._reserve = Reserve(slots_for(self._most if self._new.used > _START else self._new.used))
        self._reserve.touch(2 * len(offsets) / ((1 - _SOON) * self.memory))

    @property
    def bytes(self) -> int:
        """Memory in use."""
        reserved = 0 if self._reserve is None else len(self._reserve.table)
        return (self._new.slots + self._old.slots + reserved) * BYTES_A_SLOT

    def __len__(self) -> int:
        """Ids held, those out of reach included."""
        return self._new.used + self._old.used
