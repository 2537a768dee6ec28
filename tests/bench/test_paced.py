"""The paced stream: its schedule, its events and their truth, how they are framed, and how fresh results are told."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.bench.framing import framed
from lepton_stream.bench.freshness import WARM_S, Load, is_sustained, judged
from lepton_stream.bench.levels import STEP, highest
from lepton_stream.bench.received import Received, figures_of, final_freshness, update_freshness
from lepton_stream.bench.schedule import Schedule
from lepton_stream.bench.stream import LATENESS_US, WINDOW_US, Stream, truth_of
from lepton_stream.runtime.kafka.bulk import Bulk, body_of
from tests.reference.murmur2 import partition_of

START = 1_700_000_000_123_456
STREAM = Stream(Schedule(1000.0, 25.0, START), bad=0.05)


def sent(stream: Stream) -> list[bytes]:
    return [bytes(row) for row in stream.drawn(0, stream.schedule.total).text()]


@given(st.floats(0.5, 1e6), st.integers(0, 5_000_000))
def test_an_event_is_due_exactly_from_its_intended_time_on(rate: float, later_us: int) -> None:
    schedule = Schedule(rate, 60.0, START)
    due = schedule.due(START + later_us)
    intended = schedule.intended(np.arange(max(due - 1, 0), due + 1))
    assert 1 <= due <= schedule.total
    assert intended[0] <= START + later_us + 1
    assert due == schedule.total or intended[-1] >= START + later_us - 1


def test_nothing_is_due_before_the_start_and_all_at_the_end() -> None:
    schedule = Schedule(1000.0, 2.0, START)
    assert schedule.due(START - 1_000_000) == 0
    assert schedule.due(schedule.end_us) == schedule.due(schedule.end_us + 10**9) == schedule.total == 2000


def test_the_schedule_asks_nobody_how_far_the_sending_has_come() -> None:
    """Open loop: what is due depends on the clock alone, so that a stall makes events late, never fewer."""
    schedule = Schedule(1000.0, 10.0, START)
    assert schedule.due(START + 5_000_000) - schedule.due(START + 1_000_000) == 4000


def test_events_are_json_with_their_intended_time_and_repeats_are_exact() -> None:
    texts, drawn = sent(STREAM), STREAM.drawn(0, STREAM.schedule.total)
    intended = STREAM.schedule.intended(np.arange(len(texts)))
    for i in range(0, len(texts), 97):
        event = json.loads(texts[i])
        assert texts[i] == texts[drawn.origin[i]]
        if drawn.origin[i] == i:
            assert round(event["ts"] * 1e6) == intended[i]
        assert (event["value"] == "n/a") == (not drawn.good[i])
    assert np.mean(drawn.origin != drawn.number) == pytest.approx(0.02, abs=0.005)
    assert len({json.loads(t)["event_id"] for t in texts}) == int(np.sum(drawn.origin == drawn.number))


def test_an_event_is_the_same_in_whatever_batch_it_is_drawn() -> None:
    whole = STREAM.drawn(0, 3000).text()
    parts = np.concatenate([STREAM.drawn(a, b).text() for a, b in ((0, 1), (1, 1234), (1234, 3000))])
    assert (whole == parts).all()


def test_the_truth_is_what_counting_the_sent_events_one_by_one_gives() -> None:
    cells: dict[tuple[str, int], list[float]] = {}
    seen: set[str] = set()
    for text in sent(STREAM):
        event = json.loads(text)
        if event["value"] != "n/a" and event["event_id"] not in seen:
            start = round(event["ts"] * 1e6) // WINDOW_US * WINDOW_US // 1000
            cells.setdefault((event["device"], start), []).append(event["value"])
        seen.add(event["event_id"])
    truth = truth_of(STREAM)
    assert truth.keys() == cells.keys()
    for cell, values in cells.items():
        wanted = (len(values), math.fsum(values) / len(values), min(values), max(values))
        assert truth[cell] == pytest.approx(wanted, rel=1e-12)


def test_devices_go_where_the_client_of_java_sends_them() -> None:
    assert STREAM.partition_of_device().tolist() == [partition_of(f"dev-{d:04}".encode(), 4) for d in range(1000)]


@pytest.mark.parametrize("n", [1, 64, 65, 9000])
def test_framed_batches_are_those_of_the_bulk_producer(n: int) -> None:
    drawn = STREAM.drawn(0, n)
    keys, values = [bytes(k) for k in drawn.key()], [bytes(v) for v in drawn.text()]
    at = 0
    for batch in framed(drawn.key(), drawn.text(), 5):
        assert batch.records == body_of(Bulk(keys[at : at + batch.number], values[at : at + batch.number], 5))
        assert batch.timestamp_ms == 5
        at += batch.number
    assert at == n


def row(end_ms: int, *, final: bool, newest: float = 0.0, version: int = 1) -> dict[str, Any]:
    told = {"device": "d", "window_start": end_ms - 10_000, "window_end": end_ms, "final": final, "newest": newest}
    return {**told, "n": version, "mean": 1.0, "min": 1.0, "max": 1.0, "version": version}


def test_a_final_result_ages_from_its_windows_end_and_lateness() -> None:
    rows = [(20_000_000 + LATENESS_US + 250_000, row(20_000, final=True)), (1, row(20_000, final=False))]
    assert final_freshness(rows, 0, 30_000_000).tolist() == [0.25]


def test_windows_of_the_warm_up_and_those_that_only_the_end_closed_are_left_out() -> None:
    rows = [(99_000_000, row(end, final=True)) for end in (10_000, 20_000, 30_000)]
    assert len(final_freshness(rows, 15_000_000, 25_000_000)) == 1


def test_an_update_ages_from_the_newest_event_in_it() -> None:
    rows = [(5_300_000, row(10_000, final=False, newest=5.0)), (5_300_000, row(10_000, final=True, newest=5.0))]
    assert update_freshness(rows, 4_000_000).tolist() == [pytest.approx(0.3)]
    assert len(update_freshness(rows, 6_000_000)) == 0


def test_of_a_results_versions_the_highest_counts_in_whatever_order_they_come() -> None:
    rows = [(1, row(20_000, final=True, version=v)) for v in (1, 3, 2)]
    assert figures_of(rows) == {("d", 10_000): (3, 1.0, 1.0, 1.0)}


def test_the_reader_counts_finals_without_reading_them() -> None:
    got = Received()
    got.take(7, [b'{"final":true}', b'{"final":false}'])
    assert (got.finals, got.rows()) == (1, [(7, {"final": True}), (7, {"final": False})])


def test_results_that_grow_older_over_the_run_are_not_sustained() -> None:
    load, start = Load(10.0, 40.0, "updates"), 100_000_000
    schedule = Schedule(10.0, WARM_S + 40.0, start)
    first_s = start / 1e6 + WARM_S

    def told(slope: float) -> dict[str, Any]:
        events = [first_s + i / 10 for i in range(400)]
        rows = [(int((t + 0.2 + slope * (t - first_s)) * 1e6), row(10**9, final=False, newest=t)) for t in events]
        return {**judged(load, schedule, rows), "behind": {"p99": 0.1}}

    assert is_sustained(told(0.0))
    assert not is_sustained(told(0.05))
    assert not is_sustained({**told(0.0), "behind": {"p99": 3.0}})


@pytest.mark.parametrize("true", [900.0, 1000.0, 2300.0])
def test_the_search_comes_within_a_step_of_the_highest_rate(true: float) -> None:
    found, tried = highest(lambda rate: rate <= true, 1000.0)
    assert found <= true < found * STEP * 1.05
    assert [good for _, good in tried].count(True) >= 1


def test_a_search_that_finds_nothing_says_so() -> None:
    assert highest(lambda _: False, 1000.0)[0] == 0
