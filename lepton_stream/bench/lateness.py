"""When the windows of a paced stream were readable, and what was in them; one pass over many results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from lepton_stream.bench.schedule import SECOND_US
from lepton_stream.bench.spread import percentiles
from lepton_stream.bench.stream import LATENESS_US
from lepton_stream.bench.workload import Cell, Figures


@dataclass(frozen=True, slots=True)
class Landed:
    """`figures`: the newest final result of every device and window.

    `due_s`, `late_s`: of each final result, seconds from the stream's start to when its window could close, and from
    then to when it could be read.
    """

    figures: dict[Cell, Figures]
    due_s: np.ndarray[tuple[int], np.dtype[np.float64]]
    late_s: np.ndarray[tuple[int], np.dtype[np.float64]]

    def within(self, objective_s: float, from_s: float, to_s: float) -> tuple[float, int]:
        """Of the windows that could close in between, the share all of whose results came in time; how many those are.

        Windows that only closed because the stream had ended say nothing of one that goes on: `to_s` leaves them out.
        """
        due, late = self._between(from_s, to_s)
        windows, place = np.unique(due, return_inverse=True)
        latest = np.full(len(windows), -np.inf)
        np.maximum.at(latest, place, late)
        return (float(np.mean(latest <= objective_s)) if len(windows) else 0.0), len(windows)

    def ages(self, from_s: float, to_s: float) -> dict[str, float]:
        """Percentiles of the results' ages."""
        return percentiles(self._between(from_s, to_s)[1])

    def _between(
        self, from_s: float, to_s: float
    ) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
        chosen = (self.due_s >= from_s) & (self.due_s < to_s)
        return self.due_s[chosen], self.late_s[chosen]


def landed(batches: Sequence[tuple[int, Sequence[bytes]]], start_us: int) -> Landed:
    """Of results by the moment (microseconds since 1970) at which they could be read."""
    figures: dict[Cell, tuple[int, Figures]] = {}
    due, late = [], []
    for at_us, values in batches:
        for value in values:
            row = orjson.loads(value)
            if not row["final"]:
                continue
            due_us = row["window_end"] * 1000 + LATENESS_US
            due.append((due_us - start_us) / SECOND_US)
            late.append((at_us - due_us) / SECOND_US)
            cell = (row["device"], row["window_start"])
            if row["version"] >= figures.get(cell, (0,))[0]:
                figures[cell] = row["version"], (row["n"], row["mean"], row["min"], row["max"])
    newest = {cell: found for cell, (_, found) in figures.items()}
    return Landed(newest, np.array(due, np.float64), np.array(late, np.float64))
