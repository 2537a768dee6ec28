"""What a route makes of a section's cells: rows aggregated, rows and cells sent; what costs are fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lepton_stream.autopilot.fit import Vector
from lepton_stream.autopilot.growth import Cells
from lepton_stream.autopilot.setting import Route

MIXED_PASS = 0.15
"""Taking the hot rows of a chunk out of the others, as a share of aggregating a row."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Of one section in one flush. `cells_in_rows`: cells that the rows sent fall into; `frames_*`: that have any."""

    aggregated: float
    rows: float
    cells: float
    cells_in_rows: float
    frames_of_rows: float
    frames_of_cells: float

    def prepare(self) -> Vector:
        """In the order of `priors.PREPARE`."""
        return np.array([self.aggregated, self.rows, self.cells, self.frames_of_rows, self.frames_of_cells])

    def fold(self) -> Vector:
        """In the order of `priors.FOLD`."""
        return np.array([self.rows, self.cells_in_rows, self.cells, self.frames_of_rows, self.frames_of_cells])

    def bytes(self) -> Vector:
        """In the order of `priors.BYTES`."""
        return np.array([self.rows, self.cells])


def shape(route: Route, seen: Cells, partitions: int) -> Shape:
    """Of one flush over so many shuffle partitions."""
    if route == "rows":
        return _shape(0.0, seen.rows, 0.0, seen.cells, partitions)
    if route == "partials":
        return _shape(seen.rows, 0.0, seen.cells, 0.0, partitions)
    aggregated = seen.hot_rows + MIXED_PASS * seen.rows
    return _shape(aggregated, seen.rows - seen.hot_rows, seen.hot_cells, seen.singles, partitions)


def _shape(aggregated: float, rows: float, cells: float, in_rows: float, partitions: int) -> Shape:
    return Shape(aggregated, rows, cells, in_rows, _spread(in_rows, partitions), _spread(cells, partitions))


def _spread(cells: float, partitions: int) -> float:
    """How many partitions so many cells come to, as a mean."""
    return partitions * (1.0 - (1.0 - 1.0 / partitions) ** cells)
