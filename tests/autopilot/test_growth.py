"""Cells of longer flushes, by those of the present one, against counting."""

from __future__ import annotations

import numpy as np
import pytest

from lepton_stream.autopilot.growth import Cells, grown
from tests.autopilot.simulated import Workload, count, few, hot, million


def seen(workload: Workload, rows: int, seed: int = 1) -> Cells:
    """Means of twenty flushes, counted."""
    dice = np.random.default_rng(seed)
    found = [count(workload(dice, rows), np.zeros(rows, np.int64)) for _ in range(20)]
    mean = [sum(getattr(c, name) for c in found) / 20 for name in ("rows", "cells", "hot_rows", "hot_cells")]
    return Cells(*mean)


@pytest.mark.parametrize("workload", [few, million, hot])
@pytest.mark.parametrize(("rows", "times"), [(100, 5), (1_000, 10), (1_000, 0.2), (20_000, 4), (20_000, 0.1)])
def test_cells_of_another_flush_are_those_that_are_counted_there(workload: Workload, rows: int, times: float) -> None:
    told, there = grown(seen(workload, rows), times), seen(workload, round(rows * times), seed=2)
    assert told.rows == pytest.approx(there.rows)
    assert told.cells == pytest.approx(there.cells, rel=0.1, abs=2)
    assert told.hot_rows == pytest.approx(there.hot_rows, abs=0.08 * there.rows)


def test_groups_by_a_power_law_are_told_within_a_third_for_a_flush_of_four_times_the_rows() -> None:
    def zipf(dice: np.random.Generator, n: int) -> np.ndarray:
        return dice.zipf(1.3, n).astype(np.int64) % 10**9

    assert grown(seen(zipf, 5_000), 4.0).cells == pytest.approx(seen(zipf, 20_000, seed=2).cells, rel=0.33)


def test_each_window_that_a_flush_reaches_has_cells_of_its_own() -> None:
    one = Cells(10_000.0, 200.0, 10_000.0, 200.0)
    assert grown(one, 10.0, 5.0).cells == pytest.approx(1_000.0)


def test_nothing_grows_to_nothing_and_cells_never_exceed_rows() -> None:
    assert grown(Cells(), 3.0) == Cells()
    alone = grown(Cells(50.0, 50.0, 0.0, 0.0), 4.0)
    assert (alone.rows, alone.cells, alone.hot_rows) == (200.0, 200.0, 0.0)
    assert grown(Cells(50.0, 50.0, 0.0, 0.0), 1.0) == Cells(50.0, 50.0, 0.0, 0.0)
