"""What owners note: ages of results by the broker's clock, replays apart; the newest timestamp that was prepared."""

from __future__ import annotations

import numpy as np

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.runtime.kafka.measure import ShuffleMeasure, SourceMeasure
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.meter import Meter
from lepton_stream.windows.results import Results

NOW_S = 1_800_000_000


def batch(*ends_s: float, final: bool = True) -> Results:
    """Results of windows that ended then."""
    ends = [int(1000 * end) for end in ends_s]
    return Results("minute", (), {"window_start": [end - 60_000 for end in ends], "window_end": ends}, final, 1)


def noted(*batches: Results) -> tuple[int, float, float]:
    """(results timed, their seconds together, results counted as replayed)."""
    meter = Meter()
    ShuffleMeasure(meter).completed(batches, 0.1, NOW_S * 1_000_000)
    counts, seconds = meter.histograms().get(c.EVENT_TO_RESULT.name, {}).get(("minute",), ([], 0.0))
    return sum(counts), seconds, meter.counters().get(c.REPLAYED.name, {}).get(("minute",), 0)


def test_every_result_is_timed_from_the_end_of_its_window() -> None:
    assert noted(batch(NOW_S - 2, NOW_S - 2, NOW_S - 62)) == (3, 66.0, 0)


def test_a_replay_of_old_data_does_not_spoil_the_times() -> None:
    old = NOW_S - c.REPLAYED_S - 1
    assert noted(batch(old, old, NOW_S - 5)) == (1, 5.0, 2)


def test_results_of_open_windows_are_not_timed() -> None:
    assert noted(batch(NOW_S - 5, final=False)) == (0, 0.0, 0)


def test_a_window_that_the_clock_has_not_reached_took_no_time() -> None:
    assert noted(batch(NOW_S + 30)) == (1, 0.0, 0)


def test_the_newest_timestamp_never_goes_back() -> None:
    measure = SourceMeasure(Meter())
    assert measure.newest_us is None
    for times, newest in (([5, 9, 7], 9), ([8], 9), ([], 9), ([12], 12)):
        values = Values.from_list([b"{}"] * len(times))
        given = np.array(times, np.int64)
        chunk = Chunk(SourcePartition("t", 0), 0, len(times), np.arange(len(times)), values, given)
        measure.prepared(chunk, 0.0)
        assert measure.newest_us == newest
