"""The state of every key of a model in one shuffle partition: rows of arrays, found through an index."""

from __future__ import annotations

import numpy as np

from lepton_stream.columns import Columns, Index
from lepton_stream.dedup.fingerprint import Fingerprints, Key, fingerprints
from lepton_stream.dedup.index import BYTES_A_SLOT, FingerprintIndex
from lepton_stream.models.scorer import HasState, State
from lepton_stream.windows.rows import SMALL, GroupColumns, HeldRows, longer
from lepton_stream.windows.watermark import NEVER


class Keys(HeldRows):
    """`last` int64: event time of each key's newest value; `seen` int64: values since it began anew."""

    def __init__(self, by: tuple[str, ...], scorer: HasState, key: Key) -> None:
        self._by, self._scorer, self._key = by, scorer, key
        self.count = 0
        self._reset(0)

    def _reset(self, capacity: int) -> None:
        self._index = FingerprintIndex(capacity)
        self._group = GroupColumns(self._by)
        self._high, self._low = np.zeros(capacity, np.uint64), np.zeros(capacity, np.uint64)
        self.held, self.touched = np.zeros(capacity, np.bool_), np.zeros(capacity, np.bool_)
        self.last, self.seen = np.full(capacity, NEVER), np.zeros(capacity, np.int64)
        self.states: State = self._scorer.empty(capacity)

    def rows_for(self, group: Columns, n: int) -> Index:
        """The row of each of n keys, which may repeat; new keys get one."""
        prints = self._prints(group, n)
        slots, new = self._index.settle(prints)
        fresh = np.flatnonzero(new)
        if len(fresh):
            fresh = np.sort(fresh[np.unique(slots[fresh], return_index=True)[1]])
            rows = np.arange(self.count, self.count + len(fresh))
            self._make_room(self.count + len(fresh))
            self._high[rows], self._low[rows] = prints.high[fresh], prints.low[fresh]
            self.held[rows] = True
            self._group.add(group, fresh)
            self._index.put(slots[fresh], rows)
            self.count += len(fresh)
        found = self._index.get(slots)
        back = found[~self.held[found]]
        self.held[back], self.last[back], self.seen[back] = True, NEVER, 0  # they had left, and begin anew
        return found

    def _prints(self, group: Columns, n: int) -> Fingerprints:
        columns = [group[name] for name in self._by]
        none = np.zeros(n, np.uint64)
        return fingerprints(columns, self._key) if columns else Fingerprints(none, none.copy())

    def _make_room(self, keys: int) -> None:
        have = len(self.last)
        if keys <= have:
            return
        wider = max(keys, 2 * have, SMALL)
        for name in ("_high", "_low", "held", "touched", "last", "seen"):
            setattr(self, name, longer(getattr(self, name), wider))
        self.last[have:] = NEVER
        self.states = {name: longer(array, wider) for name, array in self.states.items()}

    def group(self, rows: Index) -> Columns:
        """The key fields of these rows; none at all where there are no rows."""
        return self._group.take(rows)

    @property
    def bytes(self) -> int:
        """Memory of all keys and the index, roughly; room to grow included."""
        own = (self._high, self._low, self.held, self.touched, self.last, self.seen, *self.states.values())
        return sum(a.nbytes for a in own) + self._group.bytes + self._index.slots * BYTES_A_SLOT

    @property
    def capacity(self) -> int:
        """Keys for which there is room."""
        return len(self.last)

    def forgotten(self, before: int) -> Index:
        """Rows of keys that were silent since then."""
        return np.flatnonzero(self._held() & (self.last[: self.count] < before))

    def keep(self, rows: Index) -> None:
        """Only these rows stay, in that order."""
        group, touched, last, seen = self.group(rows), self.touched[rows], self.last[rows], self.seen[rows]
        states = {name: array[rows] for name, array in self.states.items()}
        self.count = 0
        self._reset(len(rows))
        if len(rows):
            at = self.rows_for(group, len(rows))
            self.touched[at], self.last[at], self.seen[at] = touched, last, seen
            for name, array in states.items():
                self.states[name][at] = array
