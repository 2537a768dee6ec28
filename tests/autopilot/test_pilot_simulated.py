"""The autopilot on simulated workers whose true costs differ from what it believes by up to twice, with noise."""

from __future__ import annotations

import pytest

from lepton_stream.autopilot.pilot import Pilot
from lepton_stream.autopilot.setting import Route, Setting
from lepton_stream.pipeline.plan import Plan
from tests.autopilot.simulated import NARROW, ROUTES, WIDE, WORKLOADS, Truth, Worker, best_of, cost_of, plan_of

pytestmark = pytest.mark.slow
NEAR = 1.15
"""Times what the best static option costs."""
CALM = (0.0, 0.1, 0.25)
"""Intervals that are allowed without an objective."""
PLANS = {"narrow": plan_of(NARROW), "wide": plan_of(WIDE), "two": plan_of(NARROW, WIDE)}


def worker(plan: Plan, seed: int, start: Route, freshness_s: float | None = None) -> Worker:
    first = Setting((start,) * len(plan.windows))
    return Worker(Pilot(plan, first, mode="act", freshness_s=freshness_s), plan, Truth(plan, seed), seed)


def excess(at_work: Worker, name: str, intervals: tuple[float, ...]) -> float:
    """True cost over that of the best of all rows and all partials."""
    plan, truth, load = at_work.plan, at_work.truth, WORKLOADS[name]
    return cost_of(plan, truth, load, at_work.pilot.setting) / best_of(plan, truth, load, intervals)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("start", ROUTES)
@pytest.mark.parametrize("form", PLANS)
def test_a_minute_after_each_shift_it_costs_what_the_best_static_option_costs(
    form: str, start: Route, seed: int
) -> None:
    at_work = worker(PLANS[form], seed, start)
    found = {}
    for name in ("few", "million", "hot"):
        at_work.run(WORKLOADS[name], 60.0)
        found[name] = excess(at_work, name, CALM)
        at_work.run(WORKLOADS[name], 30.0)
    assert max(found.values()) <= NEAR, (found, at_work.story())


@pytest.mark.parametrize("seed", [10, 11])
@pytest.mark.parametrize("start", ROUTES)
@pytest.mark.parametrize("name", WORKLOADS)
def test_on_a_constant_load_no_knob_moves_more_than_twice_in_ten_minutes(name: str, start: Route, seed: int) -> None:
    at_work = worker(PLANS["two"], seed, start)
    at_work.run(WORKLOADS[name], 600.0)
    times = at_work.turns()
    assert max(times.values()) <= 2, at_work.story()
    assert at_work.told
    assert excess(at_work, name, CALM) <= NEAR


@pytest.mark.parametrize("goal_s", [0.6, 2.0])
@pytest.mark.parametrize("start", ROUTES)
@pytest.mark.parametrize("name", WORKLOADS)
def test_the_freshness_goal_is_met_and_used(name: str, start: Route, goal_s: float) -> None:
    at_work = worker(PLANS["narrow"], 20, start, goal_s)
    at_work.run(WORKLOADS[name], 240.0)
    waits = [late_s for at, late_s in at_work.waits if at > 30.0]
    assert sum(late_s > goal_s for late_s in waits) <= 0.01 * len(waits), at_work.story()
    assert excess(at_work, name, (0.02, goal_s / 4.0, goal_s / 2.0)) <= NEAR, at_work.story()
    assert max(at_work.turns().values()) <= 2, at_work.story()


def test_an_interval_that_is_too_long_for_the_goal_is_shortened_within_half_a_minute() -> None:
    plan = PLANS["narrow"]
    pilot = Pilot(plan, Setting(("partials",), flush_s=3.0), mode="act", freshness_s=1.0)
    at_work = Worker(pilot, plan, Truth(plan, 3), 3)
    at_work.run(WORKLOADS["few"], 120.0)
    assert pilot.setting.flush_s < 1.0
    assert next(d.promised[0] for d in at_work.told if d.knob == "flush interval") == "freshness p99, s"
    waits = [late_s for at, late_s in at_work.waits if at > 30.0]
    assert sum(late_s > 1.0 for late_s in waits) <= 0.01 * len(waits)


def test_every_move_is_told_once_and_completed_with_what_it_brought() -> None:
    at_work = worker(PLANS["two"], 1, "rows")
    for name in ("few", "million", "hot"):
        at_work.run(WORKLOADS[name], 120.0)
    told = [d.id for d in at_work.told]
    assert len(told) == len(set(told))
    assert [d.id for d in at_work.completed] == told
    for before, after in zip(at_work.told, at_work.completed, strict=True):
        assert (before.choice, before.why, before.promised) == (after.choice, after.why, after.promised)
        assert before.choice in {option.name for option in before.options}
        assert all(option.predicted for option in before.options)
