"""Rows of arrays that come, change and leave, and that checkpoints write by what changed, and in slices."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Column, Columns, Index, Mask, Text, Words, concat, pack, take, weight

SMALL = 1024


class HeldRows(ABC):
    """The first `count` rows of arrays of any length; those that left are swept out when they are half of them.

    `held`: which are there; `touched`: which changed since they were last written; `_low`: of their fingerprints.
    """

    count: int
    held: Mask
    touched: Mask
    _low: Words

    def touched_rows(self) -> Index:
        """Rows that changed since they were last written."""
        return np.flatnonzero(self._held() & self.touched[: self.count])

    def slice_rows(self, number: int, of: int) -> Index:
        """Held rows whose fingerprints fall into slice `number` of `of`: each is in one, wherever it is moved to."""
        part = self._low[: self.count] % np.uint64(of) == np.uint64(number)
        return np.flatnonzero(self._held() & part)

    def drop(self, rows: Index) -> None:
        """These rows leave; they can be read until `sweep`."""
        self.held[rows] = False
        self.touched[rows] = False

    def sweep(self) -> None:
        """Free the rows that left, once they are half of all."""
        keep = np.flatnonzero(self._held())
        if self.count >= SMALL and 2 * len(keep) <= self.count:
            self.keep(keep)

    @abstractmethod
    def keep(self, rows: Index) -> None:
        """Only these rows stay, in that order."""

    def _held(self) -> Mask:
        return self.held[: self.count]


class GroupColumns:
    """The group fields of rows, in pieces as they came; joined when they are read. `bytes`: memory."""

    def __init__(self, names: Iterable[str]) -> None:
        self._pieces: dict[str, list[Column]] = {name: [] for name in names}
        self.bytes = 0

    def add(self, group: Columns, rows: Index) -> None:
        """Append these rows; text in a buffer of its own: a few must not keep a whole chunk's bytes alive."""
        for name, pieces in self._pieces.items():
            own = take(group[name], rows)
            pieces.append(pack(own) if isinstance(own, Text) else own)
            self.bytes += weight(pieces[-1])

    def take(self, rows: Index) -> Columns:
        """The columns of these rows; none at all where there are no rows, since without any no types are known."""
        if not len(rows):
            return {}
        for pieces in self._pieces.values():
            if len(pieces) > 1:
                pieces[:] = [concat(pieces)]
        return {name: take(pieces[0], rows) for name, pieces in self._pieces.items()}


def longer(array: NDArray[Any], rows: int) -> NDArray[Any]:
    """The array with room for so many rows, the new ones zero."""
    out = np.zeros((rows, *array.shape[1:]), array.dtype)
    out[: len(array)] = array
    return out
