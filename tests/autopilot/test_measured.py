"""Loads and capacities by measurement, on workers whose truth is known."""

from __future__ import annotations

import math

import pytest

from lepton_stream.autopilot.measured import DRAIN_S, FORGET_S, Measured
from lepton_stream.chunk import SourcePartition

A, B, IDLE = (SourcePartition("s", p) for p in range(3))


def worked(seconds: int, *, share: float = 1.0, around: float = 1.0) -> Measured:
    """A worker whose loop gets `share` of a core; A gets 1000 records a second at 100 us each, B 500 at 400 us."""
    measured, loop_cpu = Measured(), 0.0
    measured.tick(0.0, 0.0, {A: 0, B: 0, IDLE: 7}, {})
    for now in range(1, seconds + 1):
        measured.step(A, 0.1, 0.1 / share, 1000)
        measured.step(B, 0.2, 0.2 / share, 500)
        loop_cpu += 0.3 * around
        measured.tick(float(now), loop_cpu, {A: 1000 * now, B: 500 * now, IDLE: 7}, {})
    return measured


@pytest.mark.parametrize("seconds", [10, 20, 100])
def test_the_load_is_cpu_seconds_a_record_times_records_a_second(seconds: int) -> None:
    measured = worked(seconds)
    assert measured.load(A) == pytest.approx(0.1)
    assert measured.load(B) == pytest.approx(0.2)
    assert measured.use([A, B]) == pytest.approx(0.3)


def test_what_the_loop_does_besides_is_shared_in_proportion() -> None:
    measured = worked(50, around=1.5)
    assert measured.load(A) == pytest.approx(0.15, rel=0.05)
    assert measured.load(B) == pytest.approx(0.30, rel=0.05)


def test_a_throttled_loop_shows_its_share_as_capacity_and_its_use_rises() -> None:
    measured = worked(50, share=0.25)
    assert measured.capacity == pytest.approx(0.25)
    assert measured.load(B) == pytest.approx(0.2)
    assert measured.use([A, B]) == pytest.approx(1.2)


def test_a_throttle_is_seen_within_a_few_seconds() -> None:
    measured = worked(100)
    for now in range(101, 116):
        measured.step(A, 0.1, 0.4, 1000)
        measured.tick(float(now), 0.0, {A: 1000 * now}, {})
    assert measured.capacity is not None
    assert measured.capacity < 0.45


def test_a_backlog_asks_for_being_gone_within_a_minute() -> None:
    measured = worked(50)
    measured.tick(51.0, 15.0, {A: 51_000}, {A: 60_000})
    assert measured.load(A) == pytest.approx(0.1 + 1e-4 * 60_000 / DRAIN_S, rel=0.1)
    assert measured.late_s(A) == pytest.approx(60.0, rel=0.1)


def test_who_is_too_slow_shows_what_is_asked_for_and_not_what_was_done() -> None:
    measured = Measured()
    measured.tick(0.0, 0.0, {A: 0}, {})
    for now in range(1, 31):  # 100 records a second of 1000 get done
        measured.step(A, 0.1, 0.1, 100)
        measured.tick(float(now), 0.1 * now, {A: 1000 * now}, {A: 900 * now})
    load = measured.load(A)
    assert load is not None
    assert load > 1.0  # a millisecond a record, a thousand a second


def test_what_a_record_takes_is_remembered_where_nothing_comes() -> None:
    measured = worked(50)
    for now in range(51, 400):
        measured.tick(float(now), 15.0, {A: 50_000, B: 25_000}, {})
    assert measured.load(A) == pytest.approx(0.0, abs=1e-6)
    measured.tick(400.0, 15.0, {A: 70_000}, {A: 20_000})
    assert measured.load(A) == pytest.approx(1e-4 * (20_000 / DRAIN_S + 20_000 / 10), rel=0.2)


def test_nothing_is_made_up_before_anything_was_measured() -> None:
    measured = worked(50)
    assert measured.load(IDLE) is None
    assert Measured().capacity is None
    assert Measured().use([A]) == 0.0
    assert measured.late_s(IDLE) == 0.0
    measured.tick(51.0, 15.0, {IDLE: 7}, {IDLE: 5})
    assert measured.late_s(IDLE) == math.inf


def test_the_capacity_of_who_has_not_worked_for_long_is_not_known_any_more() -> None:
    measured = worked(50)
    known = measured.capacity
    assert known is not None
    for now in range(51, 50 + int(FORGET_S)):
        measured.tick(float(now), 15.0, {A: 50_000}, {})
    assert measured.capacity == pytest.approx(known)
    for now in range(50 + int(FORGET_S), 150 + int(FORGET_S)):
        measured.tick(float(now), 15.0, {A: 50_000}, {})
    assert measured.capacity is None
    measured.step(A, 0.5, 1.0, 100)
    measured.tick(150 + FORGET_S, 15.5, {A: 50_100}, {})
    assert measured.capacity is not None
