"""The table of a window section: the state of every open (group, window) cell of one shuffle partition."""

from __future__ import annotations

import numpy as np

from lepton_stream.columns import Columns, Index, Mask, Told
from lepton_stream.dedup.fingerprint import Fingerprints
from lepton_stream.dedup.index import BYTES_A_SLOT, FingerprintIndex
from lepton_stream.kernels import kernel as kernels
from lepton_stream.kernels.kernel import State
from lepton_stream.windows.fixed import end_of
from lepton_stream.windows.rows import SMALL, GroupColumns, HeldRows, longer
from lepton_stream.windows.section import Section
from lepton_stream.windows.watermark import NEVER


class Table(HeldRows):
    """Cells are rows of arrays, found through an index of their fingerprints.

    A cell is open until its window closes; then its final result is read and, once the grace is over too, it leaves.
    Cells that left are swept out when they are half of the table.
    """

    def __init__(self, section: Section) -> None:
        self.section = section
        self.closed_to = NEVER
        """Windows that end (and have had their grace) by this event time take no more rows."""
        self.count = 0
        self._soonest: int | None = None  # no open window ends before it
        self._revised = False
        self._reset(0)

    def _reset(self, capacity: int) -> None:
        self._index = FingerprintIndex(capacity)
        self._group = GroupColumns(self.section.window.group_by)
        self.window = np.zeros(capacity, np.int64)
        self._high = np.zeros(capacity, np.uint64)
        self._low = np.zeros(capacity, np.uint64)
        self.held = np.zeros(capacity, np.bool_)
        self.final = np.zeros(capacity, np.bool_)
        self.touched = np.zeros(capacity, np.bool_)
        self.states: dict[str, State] = {k.key: k.empty(capacity) for k in self.section.kernels}

    def rows_for(self, prints: Fingerprints, window: Index, group: Columns) -> Index:
        """The table's row for each of m different cells; new cells get one. `window`: their numbers."""
        slots, new = self._index.settle(prints)
        fresh = np.flatnonzero(new)
        if len(fresh):
            rows = np.arange(self.count, self.count + len(fresh))
            self._make_room(self.count + len(fresh))
            self.window[rows] = window[fresh]
            self._high[rows], self._low[rows] = prints.high[fresh], prints.low[fresh]
            self.held[rows] = True
            self._expect(int(end_of(self.section.window, window[fresh]).min()))
            self._group.add(group, fresh)
            self._index.put(slots[fresh], rows)
            self.count += len(fresh)
        found = self._index.get(slots)
        self.touched[found] = True
        self._revised |= bool(self.final[found].any())
        return found

    def _expect(self, end: int) -> None:
        self._soonest = end if self._soonest is None else min(self._soonest, end)

    def may_close(self, mark: int) -> bool:
        """Whether `closable` would find something, as far as can be told without looking at every cell."""
        return self._revised or (self._soonest is not None and self._soonest <= mark)

    def _make_room(self, cells: int) -> None:
        have = len(self.window)
        if cells <= have:
            return
        wider = max(cells, 2 * have, SMALL)
        for name in ("window", "_high", "_low", "held", "final", "touched"):
            setattr(self, name, longer(getattr(self, name), wider))
        for kernel in self.section.kernels:
            kernels.grow(kernel, self.states[kernel.key], wider)

    def add_partials(self, cell: Index, partials: dict[str, State]) -> None:
        """Merge partial states, by kernel key; their group i belongs to the table's row `cell[i]`."""
        for kernel in self.section.kernels:
            kernel.merge(self.states[kernel.key], cell, partials[kernel.key])

    def group(self, rows: Index) -> Columns:
        """The group columns of these rows; none at all where there are no rows, since an empty table knows no types."""
        return self._group.take(rows)

    def read(self, rows: Index) -> dict[str, Told]:
        """The result columns of these rows."""
        states = self.states_of(rows)
        return {name: f.read([states[k.key] for k in f.kernels]) for name, f in self.section.functions}

    @property
    def bytes(self) -> int:
        """Memory of the table and its index, roughly; room to grow included. Costs the same however large it is."""
        own = (self.window, self._high, self._low, self.held, self.final, self.touched)
        states = (array for state in self.states.values() for array in state.values())
        return sum(a.nbytes for a in (*own, *states)) + self._group.bytes + self._index.slots * BYTES_A_SLOT

    @property
    def capacity(self) -> int:
        """Cells for which there is room."""
        return len(self.window)

    @property
    def cells(self) -> int:
        """Cells held, closed ones within their grace included."""
        return int(np.count_nonzero(self._held()))

    def open_cells(self) -> int:
        """Cells that wait for their window to close."""
        return int(np.count_nonzero(self._held() & ~self.final[: self.count]))

    def closable(self, mark: int, most: int | None = None) -> Index:
        """Open rows whose window ends by `mark`, and closed ones that were touched again within the grace.

        Of those the mark says nothing: where a run has ended it stood at the last window, and goes on from less in the
        next run. `most`: no more than so many, the oldest windows first.
        """
        ends = self._ends()
        final, touched = self.final[: self.count], self.touched[: self.count]
        waiting = self._held() & np.where(final, touched, ends <= mark)
        rows = np.flatnonzero(waiting)
        if most is None or len(rows) <= most:
            return rows
        return rows[np.argsort(ends[rows], kind="stable")[:most]]

    def changed_open(self, closing: Index) -> Index:
        """Open rows that were touched since `settled` was last called and are not among those closing."""
        changed = self._held() & self.touched[: self.count] & ~self.final[: self.count]
        changed[closing] = False
        return np.flatnonzero(changed)

    def settled(self, closed: Index, mark: int) -> Index:
        """`closed` have had their results read; gives the rows that left, their grace being over.

        They are still readable until `sweep`.
        """
        self.final[self.closable(mark)] = False  # revisions that were not read this time wait as open cells do
        self.final[closed] = True
        self.touched[: self.count] = False
        ends, held = self._ends(), self._held()
        waiting = held & ~self.final[: self.count] & (ends <= mark)
        if waiting.any():  # not all that could close did: windows count as closed up to the first that is left
            mark = min(mark, int(ends[waiting].min()) - 1)
        self.closed_to = max(self.closed_to, mark - self.section.window.grace_us)
        gone = np.flatnonzero(held & self.final[: self.count] & (ends <= self.closed_to))
        self.held[gone] = False
        self._soonest = self.oldest_end()
        self._revised = False
        return gone

    def oldest_end(self) -> int | None:
        """When the first open window ends, None without open cells."""
        waiting = self._held() & ~self.final[: self.count]
        return int(self._ends()[waiting].min()) if waiting.any() else None

    def latest_end(self) -> int:
        """When the last held window ends; `closed_to` if nothing is held."""
        return max(self.closed_to, int(self._ends()[self._held()].max(initial=NEVER)))

    def states_of(self, rows: Index) -> dict[str, State]:
        """The states of these rows, by kernel key."""
        return {key: kernels.take(state, rows) for key, state in self.states.items()}

    def put(self, rows: Index, states: dict[str, State], final: Mask) -> None:
        """Replace the states of these rows."""
        for kernel in self.section.kernels:
            kernels.replace(kernel, self.states[kernel.key], rows, states[kernel.key])
        self.final[rows] = final
        self.touched[rows] = False

    def too_late(self, window: Index) -> Mask:
        """Which window numbers are closed for good."""
        return end_of(self.section.window, window) <= self.closed_to

    def _ends(self) -> Index:
        return end_of(self.section.window, self.window[: self.count])

    def keep(self, rows: Index) -> None:
        """Only these rows stay, in that order."""
        group, flags = self.group(rows), (self.final[rows], self.touched[rows])
        window, prints = self.window[rows], Fingerprints(self._high[rows], self._low[rows])
        states = self.states_of(rows)
        self.count = 0
        self._reset(len(rows))
        if len(rows):
            self.rows_for(prints, window, group)
        self.final[: self.count], self.touched[: self.count] = flags
        for kernel in self.section.kernels:
            capacity = len(self.window)
            kernels.grow(kernel, states[kernel.key], capacity)
            self.states[kernel.key] = states[kernel.key]
