"""How many cells a flush has when it grows: from the cells of one row and of more that it has now."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cells:
    """Of one section in one flush, as means over several; `hot_*`: those of cells of two rows or more."""

    rows: float = 0.0
    cells: float = 0.0
    hot_rows: float = 0.0
    hot_cells: float = 0.0

    @property
    def singles(self) -> float:
        """Cells of one row."""
        return max(self.cells - self.hot_cells, 0.0)


def grown(seen: Cells, times: float, more_windows: float = 1.0) -> Cells:
    """The cells of a flush of `times` as many rows, over `more_windows` as many windows.

    The share of single cells tells how fast new ones come (Good and Turing): rows of the tail are taken to fall on
    equally likely cells, the others on a few that are in every flush. Exact for equally likely groups and for a hot
    one among them; where groups follow a power law it tells too few for a flush that is many times as large.
    """
    if seen.cells <= 0.0 or seen.rows <= 0.0 or times <= 0.0:
        return Cells()
    each = times / more_windows
    fill = _fill(seen.singles / seen.cells)
    of_all = seen.cells / -math.expm1(-fill) if fill > 0.0 else math.inf
    if fill < 1e-9 or not math.isfinite(of_all):  # each row has a cell of its own
        cells = singles = seen.cells * each
    else:
        cells = of_all * -math.expm1(-fill * each)
        singles = of_all * fill * each * math.exp(-fill * each)
    rows = seen.rows * times
    cells, singles = min(cells * more_windows, rows), min(singles * more_windows, rows)
    return Cells(rows, cells, max(rows - singles, 0.0), max(cells - singles, 0.0))


def _fill(share: float) -> float:
    """Rows a cell of the tail, r, of which a `share` r / (exp(r) - 1) of the cells that occur are single ones."""
    if share >= 1.0:
        return 0.0
    low, high = 0.0, 50.0
    for _ in range(50):
        middle = (low + high) / 2.0
        if middle / math.expm1(middle) > share:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
