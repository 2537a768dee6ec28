"""How long fetches and claims wait for more, and that nothing waits where a window may close."""

from __future__ import annotations

import math
from typing import Any

import pytest

from lepton_stream.pipeline.plan import Window
from lepton_stream.runtime.kafka.linger import (
    AFTER_CLOSE_S,
    EARLY_S,
    LEAST_S,
    MOST_S,
    OFTEN,
    Linger,
    Waits,
    claim_due,
    lingers,
    near_close_s,
    waits_now,
)
from lepton_stream.windows.next_close import AFTER_S, LATE_S, STAMPED_S, NextClose

FLUSH_S, SINCE = 0.2, 100.0
approx: Any = pytest.approx
DUE = SINCE + FLUSH_S - lingers(FLUSH_S)


@pytest.mark.parametrize(("flush_s", "wait_s"), [(0.0, LEAST_S), (0.1, 0.025), (0.2, MOST_S), (10.0, MOST_S)])
def test_fetch_lingers_a_part_of_the_interval_within_bounds(flush_s: float, wait_s: float) -> None:
    assert lingers(flush_s) == wait_s


def came(linger: Linger, every_s: float, times: int) -> float:
    """Fetches with records; when the last of them came."""
    for i in range(times):
        linger.came(i * every_s)
    return (times - 1) * every_s


def test_fetch_waits_only_where_several_came_shortly_before() -> None:
    linger = Linger()
    assert linger.wait_s(0.0, LEAST_S) == 0.0
    last = came(linger, 0.002, OFTEN - 1)
    assert linger.wait_s(last, LEAST_S) == 0.0
    linger.came(last + 0.002)
    assert linger.wait_s(last + 0.002, LEAST_S) == LEAST_S
    assert linger.wait_s(last + 2 * OFTEN * LEAST_S, LEAST_S) == 0.0


def test_fetch_that_lingers_goes_on_lingering() -> None:
    linger = Linger()
    last = came(linger, 1.5 * LEAST_S, 20)
    assert linger.wait_s(last, LEAST_S) == LEAST_S


def test_trickle_never_waits() -> None:
    linger = Linger()
    for event in range(50):
        for now in (event / 10, event / 10 + 0.008):  # the record, and the frame that comes of it
            assert linger.wait_s(now, LEAST_S) == 0.0
            linger.came(now)


@pytest.mark.parametrize(
    ("close_s", "much", "due_s"),
    [
        (math.inf, False, DUE),
        (DUE + 1.0, True, DUE),
        (DUE + EARLY_S / 2, False, DUE + EARLY_S / 2),  # shortly before a close: together with what closes
        (DUE + EARLY_S / 2, True, DUE - EARLY_S / 2),
        (SINCE + EARLY_S / 2, True, SINCE + EARLY_S / 2),  # what came in that time waits
        (DUE - 0.01, False, DUE - 0.01),
        (SINCE - 5.0, False, SINCE - 5.0),
        (-math.inf, True, -math.inf),
    ],
)
def test_claim_waits_for_the_interval_but_not_beyond_a_close(close_s: float, much: bool, due_s: float) -> None:
    assert claim_due(SINCE, FLUSH_S, due_at(close_s), much=much) == pytest.approx(due_s)


@pytest.mark.parametrize("close_s", [SINCE - 1.0, SINCE + EARLY_S / 2, SINCE + 9.0])
def test_without_an_interval_nothing_waits_for_a_close(close_s: float) -> None:
    assert claim_due(SINCE, 0.0, due_at(close_s), much=False) <= SINCE


def test_what_is_early_for_a_close_is_so_by_the_clock_whatever_stamps_tell() -> None:
    close = due_at(DUE + EARLY_S / 2)
    close._stamps.tell = True
    assert claim_due(SINCE, FLUSH_S, close, much=True) == pytest.approx(DUE - EARLY_S / 2)
    assert claim_due(SINCE, FLUSH_S, close, much=False) == pytest.approx(DUE + EARLY_S / 2 + STAMPED_S)


def due_at(close_s: float) -> NextClose:
    close = NextClose([])
    close.at_s = close_s
    return close


def closing(high_us: int, now_s: float) -> NextClose:
    close = NextClose([Window("w", 10_000_000, (), (), lateness_us=0)])
    close.seen(high_us - 100_000, now_s - 0.1)  # event time goes with the clock
    close.seen(high_us, now_s)
    return close


def test_worker_without_sources_does_not_know_of_closes_and_lingers_little() -> None:
    assert waits_now(FLUSH_S, [], 100.0) == (LEAST_S, 0.0)


def test_source_that_stands_still_keeps_nobody_from_lingering() -> None:
    live, idle = closing(3_000_000, 100.0), closing(9_990_000, 50.0)
    assert waits_now(FLUSH_S, [live, idle], 100.0) == (MOST_S, 0.0)
    assert near_close_s([live, idle], 100.0) == 0.0


def test_trickle_does_not_begin_to_linger_for_a_long_interval() -> None:
    linger = Linger()
    for event in range(50):
        assert linger.wait_s(event / 20, MOST_S) == 0.0
        linger.came(event / 20)


def test_fetch_lingers_until_a_window_may_close_and_then_not_at_all() -> None:
    far, near = closing(3_000_000, 100.0), closing(9_980_000, 100.0)
    assert waits_now(FLUSH_S, [far], 100.0) == (MOST_S, 0.0)
    assert waits_now(FLUSH_S, [far, near], 100.0) == Waits(approx(0.02 + AFTER_S), 0.0)
    assert waits_now(FLUSH_S, [far, near], near.at_s - 0.001) == (0.0, 0.0)
    assert waits_now(FLUSH_S, [far, near], near.at_s + 0.001) == (0.0, 0.0)


def test_once_what_closes_has_come_only_its_frames_are_asked_for() -> None:
    one, other = closing(9_980_000, 100.0), closing(9_980_000, 100.0)
    one.taken(100.04)
    assert waits_now(FLUSH_S, [one, other], 100.05) == (0.0, 0.0)  # the other's is awaited
    other.taken(100.05)
    assert waits_now(FLUSH_S, [one, other], 100.06) == Waits(0.0, approx(AFTER_CLOSE_S - 0.01))
    assert waits_now(0.0, [one, other], 100.06) == (0.0, 0.0)  # without an interval updates are waited for, too
    for close in (one, other):
        close.seen(10_010_000, 100.03)
    assert waits_now(FLUSH_S, [one, other], 100.06) == Waits(0.0, approx(AFTER_CLOSE_S - 0.01))
    assert waits_now(FLUSH_S, [one, other], 100.2) == (MOST_S, 0.0)


def test_windows_that_close_one_after_the_other_leave_no_source_out() -> None:
    close = NextClose([Window("w", 150_000, (), (), lateness_us=0)])
    for event_us in (50_000, 100_000):
        close.seen(event_us, 100.0 + event_us / 1e6)
    close.taken(close.at_s)
    close.seen(170_000, close.came_s)
    assert waits_now(FLUSH_S, [close], close.came_s + 0.01) == Waits(0.0, 0.0)


def test_close_is_near_from_a_little_before_until_its_results_are_out() -> None:
    far, near = closing(3_000_000, 100.0), closing(9_900_000, 100.0)
    assert near_close_s([], 100.0) == 0.0
    assert near_close_s([far, near], 100.0) == 0.0
    assert near_close_s([far, near], near.at_s - EARLY_S / 2) == pytest.approx(EARLY_S / 2 + LATE_S)
    near.taken(near.at_s)
    came_s = near.came_s
    near.seen(10_010_000, came_s)
    assert near_close_s([far, near], came_s + 0.02) == pytest.approx(AFTER_CLOSE_S - 0.02)
