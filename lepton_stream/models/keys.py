"""The state of every key of a model in one shuffle partition: rows of arrays, found through an index."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Column, Columns, Index, Mask, Text, concat, pack, take, weight
from lepton_stream.dedup.fingerprint import Fingerprints, Key, fingerprints
from lepton_stream.dedup.index import BYTES_A_SLOT, FingerprintIndex
from lepton_stream.models.scorer import Scorer, State
from lepton_stream.windows.watermark import NEVER

_SMALL = 1024


class Keys:
    """`last` int64: event time of each key's newest value; `seen` int64: values since it began anew."""

    def __init__(self, by: tuple[str, ...], scorer: Scorer, key: Key) -> None:
        self._by, self._scorer, self._key = by, scorer, key
        self.count = 0
        self._reset(0)

    def _reset(self, capacity: int) -> None:
        self._index = FingerprintIndex(capacity)
        self._group: dict[str, list[Column]] = {name: [] for name in self._by}
        self._group_bytes = 0
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
            for name in self._by:
                own = take(group[name], fresh)
                self._group[name].append(pack(own) if isinstance(own, Text) else own)
                self._group_bytes += weight(self._group[name][-1])
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
        wider = max(keys, 2 * have, _SMALL)
        for name in ("_high", "_low", "held", "touched", "last", "seen"):
            setattr(self, name, _longer(getattr(self, name), wider))
        self.last[have:] = NEVER
        self.states = {name: _longer(array, wider) for name, array in self.states.items()}

    def group(self, rows: Index) -> Columns:
        """The key fields of these rows; none at all where there are no rows."""
        if not len(rows):
            return {}
        for pieces in self._group.values():
            if len(pieces) > 1:
                pieces[:] = [concat(pieces)]
        return {name: take(pieces[0], rows) for name, pieces in self._group.items()}

    @property
    def bytes(self) -> int:
        """Memory of all keys and the index, roughly; room to grow included."""
        own = (self._high, self._low, self.held, self.touched, self.last, self.seen, *self.states.values())
        return sum(a.nbytes for a in own) + self._group_bytes + self._index.slots * BYTES_A_SLOT

    @property
    def capacity(self) -> int:
        """Keys for which there is room."""
        return len(self.last)

    def forgotten(self, before: int) -> Index:
        """Rows of keys that were silent since then."""
        return np.flatnonzero(self._held() & (self.last[: self.count] < before))

    def touched_rows(self) -> Index:
        """Rows that changed since they were last written."""
        return np.flatnonzero(self._held() & self.touched[: self.count])

    def slice_rows(self, number: int, of: int) -> Index:
        """Held rows whose fingerprints fall into slice `number` of `of`."""
        return np.flatnonzero(self._held() & (self._low[: self.count] % np.uint64(of) == np.uint64(number)))

    def drop(self, rows: Index) -> None:
        """These keys leave; they can be read until `sweep`."""
        self.held[rows] = False
        self.touched[rows] = False

    def sweep(self) -> None:
        """Free the rows that left, once they are half of all."""
        keep = np.flatnonzero(self._held())
        if self.count >= _SMALL and 2 * len(keep) <= self.count:
            self._keep(keep)

    def _keep(self, rows: Index) -> None:
        group, touched, last, seen = self.group(rows), self.touched[rows], self.last[rows], self.seen[rows]
        states = {name: array[rows] for name, array in self.states.items()}
        self.count = 0
        self._reset(len(rows))
        if len(rows):
            at = self.rows_for(group, len(rows))
            self.touched[at], self.last[at], self.seen[at] = touched, last, seen
            for name, array in states.items():
                self.states[name][at] = array

    def _held(self) -> Mask:
        return self.held[: self.count]


def _longer(array: NDArray[Any], rows: int) -> NDArray[Any]:
    out = np.zeros((rows, *array.shape[1:]), array.dtype)
    out[: len(array)] = array
    return out
