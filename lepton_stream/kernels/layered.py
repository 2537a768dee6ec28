"""What kernels whose state is entries have in common: settling layers, updating, merging."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from lepton_stream.columns import Index
from lepton_stream.kernels import entries
from lepton_stream.kernels.entries import GROUP, Entries
from lepton_stream.kernels.kernel import State


class Layered:
    """Entries are exact until a group has more than `exact_up_to`; from then on it is coarse, for good.

    `combine` joins the weights of equal keys; `coarsen` makes entries of coarse groups fewer. Where both commute and
    coarsening twice is coarsening once, the settled state is a function of what went in, not of its order.
    """

    __slots__ = ()
    exact_up_to: ClassVar[int]

    def fill(self, name: str) -> int | float | bool:
        """Not coarse, no errors."""
        return False

    def empty(self, groups: int) -> State:
        """State of groups without rows."""
        return {"coarse": np.zeros(groups, np.bool_)}

    def combine(self, weight: Index, starts: Index) -> Index:
        """One weight for each run of equal keys; the runs begin at `starts`."""
        return np.asarray(np.add.reduceat(weight, starts))

    def coarsen(self, state: State, found: Entries) -> Entries:
        """Fewer entries, sorted if they were, of groups that are all coarse; keys may repeat afterwards."""
        raise NotImplementedError

    def add(self, state: State, groups: Index, fresh: Entries) -> None:
        """Add entries in any order, whose group i belongs to `groups[i]`."""
        moved = Entries(groups[fresh.group].astype(GROUP), fresh.key, fresh.weight, fresh.text)
        self._lay(state, self._settled(state, moved.sorted()))

    def merge(self, state: State, groups: Index, other: State) -> None:
        """Add another state's entries."""
        np.logical_or.at(state["coarse"], groups, other["coarse"])
        self.add(state, groups, entries.joined(list(entries.each(other))))

    def settle(self, state: State) -> Entries:
        """All entries in one layer, in place: equal states have equal bytes then."""
        if entries.layers(state) == 1 and not self._loose(state):
            return entries.layer(state, 0)
        whole = self._settled(state, entries.joined(entries.pop_all(state)).sorted())
        entries.push(state, whole)
        return whole

    def _loose(self, state: State) -> bool:
        """Whether a group became coarse by a layer that is no longer there, so that its entries are still exact."""
        return bool(state["coarse"].any())

    def _lay(self, state: State, top: Entries) -> None:
        while entries.layers(state) and len(state[f"{entries.layers(state) - 1}:key"]) < 2 * len(top):
            top = self._settled(state, entries.joined([entries.pop(state), top]).sorted())
        entries.push(state, top)

    def _settled(self, state: State, found: Entries) -> Entries:
        found = self._reduced(found)
        coarse = state["coarse"]
        many = np.flatnonzero(found.counts(len(coarse)) > self.exact_up_to)
        coarse[many] = True
        some = coarse[found.group]
        if not some.any():
            return found
        if some.all():
            return self._reduced(self.coarsen(state, found))
        # the coarse ones stay sorted among themselves, so sorting all again is cheap
        mended = self._reduced(self.coarsen(state, found.take(some)))
        return entries.joined([found.take(~some), mended]).sorted()

    def _reduced(self, found: Entries) -> Entries:
        starts = found.starts()
        if len(starts) == len(found):
            return found
        weight = self.combine(found.weight, starts)
        first = found.take(starts)
        return Entries(first.group, first.key, weight, first.text)
