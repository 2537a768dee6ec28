"""The model's ranking of routes is that of the real core, measured here and now."""

from __future__ import annotations

import pytest

from lepton_stream.autopilot.setting import Route
from tests.autopilot.real_work import measure, predicted
from tests.autopilot.simulated import NARROW, WIDE, WORKLOADS, plan_of

pytestmark = pytest.mark.slow
ALL: tuple[Route, ...] = ("rows", "partials", "mixed")
CLEAR = 1.3
"""Times by which one route must be dearer than another, as measured, for the ranking to count."""


@pytest.mark.parametrize("results", [NARROW, WIDE], ids=["narrow", "wide"])
def test_routes_are_ranked_as_they_are_measured(results: dict[str, str]) -> None:
    """Fitted on few keys and on a million, by rows and by partials; asked about all three loads and routes."""
    plan = plan_of(results)
    seen = [measure(plan, WORKLOADS[name], route) for name in ("few", "million") for route in ALL[:2]]
    ranked = 0
    for name, workload in WORKLOADS.items():
        there = {route: measure(plan, workload, route, seed=2) for route in ALL}
        told = {route: predicted(plan, seen, one.load, route) for route, one in there.items()}
        story = {route: (round(there[route].cost, 3), round(told[route], 3)) for route in ALL}
        for dear in ALL:
            for cheap in ALL:
                if there[dear].cost > CLEAR * there[cheap].cost:
                    ranked += 1
                    assert told[dear] > told[cheap], (name, story)
        for route in ALL:
            assert told[route] == pytest.approx(there[route].cost, rel=0.5), (name, story)
    assert ranked  # few keys as rows against partials, if nothing else
