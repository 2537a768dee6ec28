"""Several measurements of one thing, and many of a distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

PERCENTILES = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "p99.9": 99.9}


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, lowest and highest of some runs."""

    median: float
    lowest: float
    highest: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """At least one value."""
        return cls(median(values), min(values), max(values), len(values))

    @classmethod
    def read(cls, told: dict[str, Any]) -> Spread:
        """From plain values."""
        return cls(told["median"], told["lowest"], told["highest"], told["runs"])

    def plain(self) -> dict[str, float]:
        """For JSON."""
        return {"median": self.median, "lowest": self.lowest, "highest": self.highest, "runs": self.runs}


def percentiles(values: NDArray[np.float64]) -> dict[str, float]:
    """By nearest rank: the smallest value that so many percent do not exceed, one that was measured. None: nothing."""
    if not len(values):
        return {}
    ordered = np.sort(values)
    ranks = {name: int(np.ceil(q / 100 * len(ordered) - 1e-9)) for name, q in PERCENTILES.items()}
    return {name: float(ordered[max(rank, 1) - 1]) for name, rank in ranks.items()} | {"max": float(ordered[-1])}
