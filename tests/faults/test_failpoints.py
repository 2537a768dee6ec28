"""Rows F1 and F2 at every point between two promises: workers die exactly there, again and again."""

from __future__ import annotations

from inspect import iscoroutinefunction

import pytest

from lepton_stream.errors import UsageError
from lepton_stream.protocol.ports import MergePort, SourcePort
from lepton_stream.runtime.kafka.failpoints import (
    GROUP,
    POINTS,
    VARIABLE,
    FailingHooks,
    FailingMergePort,
    FailingSourcePort,
    Failpoints,
)
from lepton_stream.runtime.kafka.transport import Hooks
from tests.faults.evidence import blow
from tests.faults.scene import Scene, stop
from tests.kafka_pipeline.pipe import until

RECORDS, RATE = 15_000, 1500
DEATHS = 2
DEATH = "ended by signal 9; starting it again"
TIMES = dict.fromkeys(("after_epoch", "mid_state", "mid_publish", "after_revoked"), 1) | dict.fromkeys(
    ("before_pointer", "after_pointer", "after_publish"), 5
)
"""Owners that begin pass the pointer once for each partition; the fifth time is a checkpoint of records."""
SMOKE = ("after_pointer",)


def deaths_at(scene: Scene, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    """Workers that die at the point, each time they come to it; then others go on."""
    monkeypatch.setenv(VARIABLE, f"{point}:{TIMES.get(point, 2)}")
    sender = scene.send(RECORDS * (4 if point in GROUP else 1), RATE)  # rebalances take their time
    crew = scene.pipe.run(workers=2)
    if point in GROUP:  # two that join together have nothing to give back, and get nothing anew, before a third comes
        until(lambda: scene.pipe.members() >= 2 or crew.said.count(DEATH), 40, "two have joined")
        scene.pipe.run(workers=1)
    until(lambda: crew.said.count(DEATH) >= DEATHS or crew.process.poll() is not None, 60, f"deaths {point}")
    assert crew.said.count(DEATH) >= DEATHS, crew.said
    left, ledgers = blow(scene.pipe, point), [sender.ledger]
    acked = left.acked(ledgers)
    assert left.claims or left.frames or acked, "nothing was left to do"
    scene.entry.proofs.append(f"{crew.said.count(DEATH)} deaths {point}, and then {left.proof(acked)}")
    monkeypatch.delenv(VARIABLE)
    stop(crew)
    for guest in scene.pipe.runs[1:]:
        guest.end()
    sender.wait()
    scene.settle()


@pytest.mark.kafka
@pytest.mark.parametrize("point", SMOKE)
def test_f01_deaths_at_a_point_between_two_promises_change_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    deaths_at(scene, monkeypatch, point)


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.parametrize("point", [point for point in POINTS if point not in SMOKE])
def test_f01_deaths_at_every_point_between_two_promises_change_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    deaths_at(scene, monkeypatch, point)


def test_every_call_that_says_something_outside_has_a_point_beside_it() -> None:
    says_nothing = {"admitted", "read_state", "trim"}
    pairs: tuple[tuple[type, type], ...]
    pairs = ((SourcePort, FailingSourcePort), (MergePort, FailingMergePort), (Hooks, FailingHooks))
    for port, failing in pairs:
        calls = {name for name, method in vars(port).items() if iscoroutinefunction(method)}
        assert calls
        assert calls - says_nothing <= vars(failing).keys()


@pytest.mark.parametrize("wished", ["nowhere", "after_claim:often", "after_claim,nowhere:2"])
def test_a_point_that_does_not_exist_is_refused(wished: str) -> None:
    with pytest.raises(UsageError, match="expects NAME"):
        Failpoints(wished)


def test_nobody_dies_before_the_time_has_come() -> None:
    points = Failpoints("after_claim:3,mid_state")
    points.reach("after_claim")
    points.reach("after_claim")
    points.reach("after_frames")
    assert points.knows("mid_state")
    assert not points.knows("after_frames")
