"""How long fetches and claims wait for more, and that nothing waits where a window may close."""

from __future__ import annotations

import math

import pytest

from lepton_stream.pipeline.plan import Window
from lepton_stream.runtime.kafka.linger import (
    EARLY_S,
    LEAST_S,
    MOST_S,
    OFTEN,
    Linger,
    claim_due,
    linger_now,
    lingers,
)
from lepton_stream.windows.next_close import NextClose

FLUSH_S, SINCE = 0.2, 100.0
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
    assert claim_due(SINCE, FLUSH_S, close_s, much=much) == pytest.approx(due_s)


@pytest.mark.parametrize("close_s", [SINCE - 1.0, SINCE + EARLY_S / 2, SINCE + 9.0])
def test_without_an_interval_nothing_waits_for_a_close(close_s: float) -> None:
    assert claim_due(SINCE, 0.0, close_s, much=False) <= SINCE


def closing(high_us: int, now_s: float) -> NextClose:
    close = NextClose([Window("w", 10_000_000, (), (), lateness_us=0)])
    close.seen(high_us, now_s)
    return close


def test_worker_without_sources_does_not_know_of_closes_and_lingers_little() -> None:
    assert linger_now(FLUSH_S, [], 100.0) == LEAST_S


def test_source_that_stands_still_keeps_nobody_from_lingering() -> None:
    live, idle = closing(3_000_000, 100.0), closing(9_990_000, 50.0)
    assert linger_now(FLUSH_S, [live, idle], 100.0) == MOST_S


def test_trickle_does_not_begin_to_linger_for_a_long_interval() -> None:
    linger = Linger()
    for event in range(50):
        assert linger.wait_s(event / 20, MOST_S) == 0.0
        linger.came(event / 20)


def test_fetches_linger_but_not_around_a_close() -> None:
    far, near = closing(3_000_000, 100.0), closing(9_990_000, 100.0)
    assert linger_now(FLUSH_S, [far], 100.0) == MOST_S
    assert linger_now(FLUSH_S, [far, near], 100.0) == 0.0
    near.seen(10_010_000, 100.02)
    assert linger_now(FLUSH_S, [far, near], 100.05) == 0.0  # the frames that close it are on their way
    assert linger_now(FLUSH_S, [far, near], 100.2) == MOST_S
