"""What keeps the autopilot calm: back-offs that double, turns that are counted, freshness that is remembered."""

from __future__ import annotations

import pytest

from lepton_stream.autopilot.freshness import Freshness
from lepton_stream.autopilot.growth import Cells
from lepton_stream.autopilot.hysteresis import BackOff, Patience, Turns
from lepton_stream.autopilot.turn import route_option

MINE = route_option(0, "partials")
FEW, MANY = (Cells(1000.0, 100.0, 1000.0, 100.0),), (Cells(1000.0, 990.0, 20.0, 10.0),)


def test_an_option_that_disappoints_is_left_alone_for_twice_as_long_each_time() -> None:
    back_off = BackOff(Patience(back_off_s=100.0, most_s=350.0))
    assert back_off.open(MINE, 0.0, FEW)
    assert [back_off.failed(MINE, 0.0, FEW) for _ in range(4)] == [100.0, 200.0, 350.0, 350.0]
    assert not back_off.open(MINE, 349.0, FEW)
    assert back_off.open(MINE, 350.0, FEW)
    assert back_off.failed(MINE, 400.0, FEW) == 350.0
    assert back_off.open(route_option(0, "mixed"), 401.0, FEW)


def test_on_other_data_it_may_be_tried_again_at_once() -> None:
    back_off = BackOff(Patience(back_off_s=100.0))
    back_off.failed(MINE, 0.0, FEW)
    assert not back_off.open(MINE, 1.0, (Cells(1100.0, 120.0, 1100.0, 120.0),))
    assert back_off.open(MINE, 2.0, MANY)
    assert back_off.failed(MINE, 3.0, MANY) == 100.0


def test_turns_are_counted_for_a_time_and_until_the_data_changes() -> None:
    turns = Turns(Patience(often_s=600.0))
    turns.turned("codec", 0.0)
    turns.turned("codec", 500.0)
    assert (turns.lately("codec", 599.0), turns.lately("codec", 600.0), turns.lately("flush", 1.0)) == (2, 1, 0)
    turns.changed()
    assert turns.lately("codec", 599.0) == 0


def test_p99_is_that_of_results_and_of_the_last_seconds() -> None:
    fresh = Freshness()
    assert fresh.p99_s is None
    fresh.add(0.2, 985)
    fresh.add(3.0, 15)
    fresh.roll(1.0)
    assert fresh.measured == pytest.approx(3.0, rel=0.03)
    fresh.add(0.2, 1000)
    fresh.roll(2.0)
    assert fresh.measured == pytest.approx(0.2, rel=0.03)
    fresh.roll(30.0)
    assert fresh.measured is None
    assert fresh.p99_s == pytest.approx(0.2, rel=0.03)


def test_after_a_change_of_the_interval_freshness_is_predicted_until_it_is_measured_anew() -> None:
    fresh = Freshness()
    fresh.add(0.5, 10)
    fresh.roll(1.0)
    fresh.moved(1.0, 2.0)
    assert fresh.measured is None
    assert fresh.p99_s == pytest.approx(2.5, rel=0.03)
    fresh.add(0.4, 10)
    fresh.roll(2.0)  # results of before the change
    assert fresh.measured is None
    fresh.add(2.2, 10)
    fresh.roll(9.0)
    assert fresh.measured == pytest.approx(2.2, rel=0.03)
