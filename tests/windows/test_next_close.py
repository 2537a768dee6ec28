"""When windows may close next: by event time exactly, by the clock as records have come so far."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.pipeline.plan import Window
from lepton_stream.windows.next_close import AFTER_S, LATE_S, STAMPED_S, NextClose, closes_after, waits_for_closes_alone
from tests.core.streams import PLAN

S = 1_000_000


def live(high: int, now: float, stamp: int | None = None, *, size: int = 10 * S) -> NextClose:
    """Of a source whose event time goes with the clock, at this moment."""
    close = NextClose([window(size)])
    close.seen(high - S // 10, now - 0.1, None if stamp is None else stamp - S // 10)
    close.seen(high, now, stamp)
    return close


def window(size: int, lateness: int = 0, *, every: int | None = None, offset: int = 0) -> Window:
    return Window("w", size, (), (), lateness_us=lateness, every_us=every, offset_us=offset)


@given(st.integers(-(10**6), 10**6), st.integers(1, 50), st.integers(1, 20), st.integers(0, 99), st.integers(-9, 9))
def test_first_time_that_lets_a_window_close(high: int, step: int, overlap: int, late: int, offset: int) -> None:
    one = window(step * overlap, late, every=step, offset=offset)
    closes = [t for t in range(high + 1, high + step + 1) if (t - late - offset) % step == 0]
    assert [closes_after(one, high)] == closes


def test_close_is_expected_when_the_clock_gets_there() -> None:
    close = NextClose([window(10 * S, 3 * S)])
    assert close.at_s == math.inf
    close.seen(1_001 * S, 50.0)
    assert close.at_s == pytest.approx(52.0 + AFTER_S)
    assert close.near_s(51.0, 0.5, 0.1) == 0.0
    assert close.near_s(51.6, 0.5, 0.1) == pytest.approx(0.4 + AFTER_S + LATE_S)


def test_earliest_of_several_windows_counts() -> None:
    close = NextClose([window(60 * S), window(7 * S)])
    close.seen(6 * S, 50.0)
    assert close.at_s == pytest.approx(51.0 + AFTER_S)


def test_records_that_came_late_once_do_not_postpone_it() -> None:
    """What is looked at a while after it came seems older than what the next record will be."""
    close = NextClose([window(10 * S)])
    for now, behind in ((100.0, 0.02), (100.2, 0.15), (100.4, 0.09)):
        close.seen(int((now - behind) * S), now)
    assert close.at_s == pytest.approx(110.02 + AFTER_S, abs=0.001)


def test_source_that_falls_behind_is_believed_once_a_close_has_not_come() -> None:
    close = NextClose([window(10 * S)])
    close.seen(102 * S, 102.0)
    close.seen(104 * S, 154.0)
    assert close.at_s == pytest.approx(160.0 + AFTER_S)


def test_source_that_becomes_a_little_slower_is_believed_after_a_while() -> None:
    close = NextClose([window(10 * S)])
    close.seen(100 * S, 100.0)
    for tick in range(1, 1000):
        now = 100.0 + tick / 10
        close.seen(int((now - 0.05) * S), now)
    assert close.at_s == pytest.approx(200.05 + AFTER_S, abs=0.001)


def test_source_that_stands_still_is_not_waited_for_and_one_that_goes_back_changes_nothing() -> None:
    close = NextClose([window(10 * S)])
    close.seen(9 * S, 50.0)
    at = close.at_s
    close.seen(9 * S, 80.0)
    close.seen(8 * S, 90.0)
    assert close.at_s == at
    assert close.near_s(51.0, 0.1, 0.1) > 0.0
    assert close.near_s(95.0, 0.1, 0.1) == 0.0


def test_rest_ends_at_a_close_and_there_is_none_while_it_is_due() -> None:
    close = NextClose([window(10 * S)])
    close.seen(9 * S, 50.0)
    assert close.rest_until(50.5, 0.03) == pytest.approx(50.53)
    assert close.rest_until(51.0, 0.03) == pytest.approx(51.0 + AFTER_S)
    assert close.rest_until(51.05, 0.03) == 51.05
    assert close.rest_until(51.2, 0.03) == pytest.approx(51.23)


def test_close_that_has_come_is_told_for_a_while() -> None:
    close = live(9 * S, 50.0)
    close.seen(11 * S, 52.0)
    assert close.near_s(52.05, 0.0, 0.1) == pytest.approx(0.05)
    assert close.near_s(52.2, 0.0, 0.1) == 0.0


def test_close_is_awaited_until_a_range_is_worked_on_that_may_bring_it() -> None:
    close = live(9 * S, 50.0)
    assert not close.awaited(50.9)
    assert close.awaited(51.05)
    close.taken(51.05)
    assert not close.awaited(51.06)
    close.seen(int(9.9 * S), 51.05)  # it did not
    assert close.awaited(51.06)
    close.taken(51.07)
    close.seen(11 * S, 51.07)
    assert not close.awaited(51.08)
    assert close.came_s == 51.07


def test_stamps_tell_of_a_close_before_it_is_read_and_then_the_clock_alone_waits_a_little_longer() -> None:
    behind = 3 * S  # producers write a record three seconds after what it tells of
    close = live(9 * S, 50.0, 9 * S + behind)
    assert close.due_s == close.at_s
    assert not close.hoped(int(9.9 * S) + behind)
    assert close.hoped(10 * S + behind)
    close.taken(50.98, 10 * S + behind)
    assert not close.awaited(51.02)
    close.seen(10 * S, 50.98, 10 * S + behind)
    assert close.due_s == pytest.approx(close.at_s + STAMPED_S)
    assert close.came_s == 50.98


def test_range_that_did_not_bring_what_was_hoped_leaves_no_trace() -> None:
    close = live(9 * S, 50.0)
    for now in (51.02, 51.05, 51.09, 51.2, 55.0):
        close.taken(now)
        close.seen(9 * S, now)
        assert close.came_s == -math.inf


def test_source_whose_event_time_stands_still_hurries_nobody() -> None:
    """A rebuild of the dedup memory, late records, or one from the future: ranges come, and the high stays."""
    close, now = live(9 * S, 50.0), 50.0
    while now < 60.0:
        now += 0.01
        close.taken(now)
        assert now <= close.at_s + LATE_S or close.near_s(now, 0.06, 0.1) == 0.0
        close.seen(9 * S, now)
    assert close.came_s == -math.inf


@given(st.integers(1, 20), st.integers(200, 60_000), st.integers(10, 90), st.booleans())
def test_closes_of_a_replay_are_nothing_that_was_waited_for(
    size: int, step_ms: int, took_ms: int, stamped: bool
) -> None:
    """Event time goes at least twice as fast as the clock."""
    step_ms = max(step_ms, 2 * (took_ms + 60))
    close, now, high = NextClose([window(size * S)]), 100.0, 1_000 * S
    for _ in range(100):
        close.taken(now, high if stamped else None)
        close.seen(high, now, high if stamped else None)
        assert close.came_s == -math.inf
        now, high = now + took_ms / 1000, high + step_ms * 1000


def test_without_windows_nothing_is_expected() -> None:
    close = NextClose([])
    close.seen(9 * S, 50.0)
    assert close.at_s == math.inf


def test_only_final_results_of_windows_are_unhurried() -> None:
    final = replace(PLAN, windows=tuple(replace(w, emit="final") for w in PLAN.windows), models=(), alarms=())
    assert waits_for_closes_alone(final)
    assert not waits_for_closes_alone(replace(final, windows=()))
    assert not waits_for_closes_alone(replace(final, windows=(replace(final.windows[0], grace_us=S),)))
    hurried = replace(final.windows[0], emit="updates")
    assert not waits_for_closes_alone(replace(final, windows=(hurried, *final.windows[1:])))
