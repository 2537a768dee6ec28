"""Histograms: how many values fall between equally spaced edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lepton_stream.columns import Index
from lepton_stream.kernels.kernel import Rows, State, present


@dataclass(frozen=True, slots=True)
class Bins:
    """Rows below `low`, in each of `bins` equal bins, and above `high`; nulls are left out.

    Input   float64[n] finite or int64[n], unit u.   State   8 bytes a bin and 16 a group.
    Result  `histogram`: a list of bins + 2 counts.  Error   none.

    A value on an edge belongs to the later bin, `high` itself to the last. Edges are those of numpy.linspace.
    """

    field: str
    low: float
    high: float
    bins: int

    @property
    def key(self) -> str:
        """`bins.1(field,low,high,bins)`."""
        return f"bins.1({self.field},{self.low},{self.high},{self.bins})"

    def fill(self, name: str) -> int:
        """No rows."""
        return 0

    def empty(self, groups: int) -> State:
        """State of groups without rows: an array a bin, the first for what is below, the last for what is above."""
        return {f"bin{i}": np.zeros(groups, np.int64) for i in range(self.bins + 2)}

    def update(self, state: State, groups: Index, rows: Rows) -> None:
        """Count the values that are there."""
        where, values = present(groups, rows, self.field)
        edges = np.linspace(self.low, self.high, self.bins + 1)
        place = np.searchsorted(edges, values, "right")
        place = np.where(values == self.high, self.bins, place)
        wide = self.bins + 2
        counts = np.bincount(where * wide + place, minlength=len(state["bin0"]) * wide).reshape(-1, wide)
        for i in range(wide):
            state[f"bin{i}"] += counts[:, i]

    def merge(self, state: State, groups: Index, other: State) -> None:
        """Add counts."""
        for i in range(self.bins + 2):
            np.add.at(state[f"bin{i}"], groups, other[f"bin{i}"])


def histogram(kernel: Bins, state: State) -> list[Any]:
    """Of each group the counts, below and above included; None without values."""
    counts = np.stack([state[f"bin{i}"] for i in range(kernel.bins + 2)], axis=1)
    return [row if sum(row) else None for row in counts.tolist()]
