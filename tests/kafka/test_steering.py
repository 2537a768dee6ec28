"""What the worker tells its autopilot: how old results were, by when their windows could close."""

from __future__ import annotations

import pytest

from lepton_stream.runtime.kafka.steering import ages, lateness_of
from lepton_stream.windows.results import Results
from tests.core.streams import PLAN

NOW_US = 1_700_000_000_000_000
NOW_MS = NOW_US // 1000


def results(window: str, *ends_ms: int, final: bool = True) -> Results:
    columns = {"window_start": [end - 10_000 for end in ends_ms], "window_end": list(ends_ms)}
    return Results(window, (), columns, final, 1)


def test_results_are_as_old_as_the_time_since_their_window_could_close() -> None:
    batches = [results("ten", NOW_MS - 4_000, NOW_MS - 3_500, NOW_MS - 4_000), results("seven", NOW_MS - 250)]
    late_s, counts = zip(*ages(batches, NOW_US, lateness_of(PLAN)), strict=True)
    assert late_s == pytest.approx((1.0, 0.5, 0.25))
    assert counts == (2, 1, 1)


def test_updates_replays_and_clocks_that_disagree_say_nothing_wrong() -> None:
    lateness = lateness_of(PLAN)
    assert list(ages([results("ten", NOW_MS, final=False), results("ten")], NOW_US, lateness)) == []
    assert list(ages([results("ten", NOW_MS - 7 * 86_400_000)], NOW_US, lateness)) == []
    assert list(ages([results("ten", NOW_MS + 60_000)], NOW_US, lateness)) == [(0.0, 1)]
