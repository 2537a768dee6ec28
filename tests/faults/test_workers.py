"""Rows F1 to F4: workers that are killed, asked to leave, or frozen."""

from __future__ import annotations

import re
import time
import urllib.request
from contextlib import ExitStack
from functools import partial

import pytest

from tests.faults import inject
from tests.faults.scene import Scene, stop, two
from tests.kafka_pipeline.pipe import Run, alive, until

pytestmark = pytest.mark.kafka
RATE = 5000
FEW, MANY = 20_000, 150_000
STOPPED_S = 10.0


def kills(scene: Scene, records: int, times: int, *, every: bool = False) -> None:
    """So many kills of one worker, or of all, at random moments of the load."""
    crew, sender = scene.crew(), scene.send(records, RATE)
    each = records // (times + 1)
    for n in range(times):
        scene.beyond(n * each + scene.draw.randrange(each // 2))
        pids = two(crew)
        hit = pids if every else [scene.draw.choice(pids)]
        blow = scene.strike(f"kill -9 of {len(hit)}", lambda hit=hit: inject.kill(hit))  # type: ignore[misc]
        scene.recovered(blow, "kill -9, session of 2 s")
    sender.wait()
    scene.settle(crew)


def test_f01_a_killed_worker_changes_nothing(scene: Scene) -> None:
    kills(scene, FEW, 1)


@pytest.mark.slow
def test_f01_five_kills_in_a_row_change_nothing(scene: Scene) -> None:
    kills(scene, MANY, 5)


@pytest.mark.slow
def test_f01_with_the_default_session_a_killed_worker_is_replaced_in_time(scene: Scene) -> None:
    crew = scene.crew(session="10")
    scene.send(60_000, 3000)
    for _ in range(2):
        scene.beyond(scene.pipe.counted() + 5000)
        hit = [scene.draw.choice(two(crew))]
        blow = scene.strike("kill -9, session of 10 s", lambda hit=hit: inject.kill(hit))  # type: ignore[misc]
        scene.recovered(blow, "kill -9")
    scene.settle(crew)


def test_f02_all_workers_killed_at_once_change_nothing(scene: Scene) -> None:
    kills(scene, FEW, 1, every=True)


@pytest.mark.slow
def test_f02_the_whole_crew_killed_and_another_started_changes_nothing(scene: Scene) -> None:
    scene.send(MANY, RATE)
    for _ in range(2):
        crew = scene.crew()
        scene.beyond(scene.pipe.counted() + MANY // 6)
        scene.strike("kill -9 of all and their parent", lambda crew=crew: inject.kill([crew.process.pid]))  # type: ignore[misc]
        until(lambda crew=crew: not crew.workers, 5, "the workers are gone")  # type: ignore[misc]
    scene.settle(scene.crew())


@pytest.mark.slow
def test_f03_a_rolling_restart_changes_nothing_and_leaves_no_gap(scene: Scene) -> None:
    crews = [scene.crew(1), scene.crew(1)]
    scene.send(MANY, RATE // 2)
    took: list[float] = []
    for n in range(3):
        scene.beyond(scene.pipe.counted() + MANY // 25)
        blow = scene.strike("SIGTERM of one of two", lambda: took.append(stop(crews.pop(0))))
        assert took[-1] < STOPPED_S
        scene.recovered(blow, "graceful move")
        crews.append(scene.crew(1))
        assert all(alive(crew.process.pid) for crew in crews), f"restart {n}"
    scene.settle(*crews)


def refused(crew: Run) -> int:
    """How many owners of partitions found out by the broker's refusal that they are owners no more."""
    (address,) = re.findall(r"metrics at (http://[^/]+/metrics)", crew.said)
    with urllib.request.urlopen(address, timeout=5) as answer:
        found = re.findall(r"^lepton_refused_owners_total\{.*\} ([0-9.]+)$", answer.read().decode(), re.MULTILINE)
    return int(sum(map(float, found)))


def freeze(scene: Scene, records: int, session: float = 2) -> None:
    """Stop a worker for two sessions and more, until the other has gone on beyond all that was there, and wake it."""
    crew = scene.crew()
    scene.send(records, RATE)
    scene.beyond(records // 10)
    pid = scene.draw.choice(two(crew))
    with ExitStack() as stack:
        blow = scene.strike("SIGSTOP", lambda: stack.enter_context(inject.frozen(pid)))
        until(lambda: scene.pipe.members() == 1, 30, "the other has taken over")
        scene.recovered(blow)
        until(lambda: time.monotonic() - blow.at > 2 * session, 30, "two sessions have passed")
    woken = time.monotonic()
    until(lambda: not alive(pid) or scene.pipe.members() == 2, 10, "it has ended or joined again")
    scene.entry.times.append(("woken from a freeze", time.monotonic() - woken))
    if alive(pid):
        count = until(lambda: refused(crew), 15, "what the sleeper went on with is refused")
        scene.entry.proofs.append(f"{count} of the sleeper's owners were refused")
    scene.settle(crew)
    scene.judge_compacted()


def test_f04_a_worker_frozen_beyond_its_session_changes_nothing(scene: Scene) -> None:
    freeze(scene, 40_000)


@pytest.mark.slow
def test_f04_three_sleepers_change_nothing(scene: Scene) -> None:
    crew = scene.crew()
    scene.send(MANY, RATE)
    for n in range(3):
        scene.beyond((n + 1) * MANY // 6)
        pid = scene.draw.choice(two(crew))
        with ExitStack() as stack:
            freezing = partial(stack.enter_context, inject.frozen(pid))
            blow = scene.strike("SIGSTOP", freezing)
            until(lambda: scene.pipe.members() == 1, 30, "the other has taken over")
            scene.recovered(blow)
        until(lambda: scene.pipe.members() == 2, 20, "two again")
    scene.settle(crew)
