"""When the unchanged cells are written again, slice by slice, so that a restart need not read far back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lepton_stream.core import Slice
from lepton_stream.protocol.limits import Limits


@dataclass(slots=True)
class Turns:
    """Keeps `base`: the offset from which the state can be put together, -1 before the first checkpoint.

    A turn begins when the deltas since `base` weigh twice what a whole turn weighed, or are many; its slices go along
    with the checkpoints that are made anyway. When it is complete, its first checkpoint is the new base.
    """

    limits: Limits
    base: int = -1
    _number: int = 0
    _of: int = 0
    _began: int = -1
    _bytes_since: int = 0
    _bytes_of_turn: int = 0
    _length: int = 0

    def restored(self, base: int, sizes: Sequence[int]) -> None:
        """The state was put together from checkpoints of these sizes, the first of them at `base`."""
        self.base, self._length, self._bytes_since = base, len(sizes), sum(sizes)

    def next(self, cells: int) -> Slice | None:
        """The slice for the checkpoint about to be made; `cells`: how many the tables hold."""
        if self._of == 0 and self._due():
            self._of, self._number, self._began = max(1, -(-cells // self.limits.cells_a_slice)), 0, -1
            self._bytes_of_turn = 0
        return Slice(self._number, self._of) if self._of else None

    def _due(self) -> bool:
        heavy = self._bytes_since > max(self.limits.least_bytes, 2 * self._bytes_of_turn)
        return self.base >= 0 and (heavy or self._length >= self.limits.longest_chain)

    def written(self, first: int, size: int) -> None:
        """The checkpoint is in the log at offset `first` and weighs `size` bytes."""
        self._length += 1
        self._bytes_since += size
        if self.base < 0:  # the state was empty before: the deltas from here on hold all of it
            self.base = first
        if not self._of:
            return
        self._bytes_of_turn += size
        if self._number == 0:
            self._began = first
        self._number += 1
        if self._number == self._of:
            self.base, self._bytes_since, self._length = self._began, self._bytes_of_turn, self._of
            self._of = 0
