"""Rows F9 to F11, F21, F22 and F26: brokers that die or freeze, and topics that change under a running pipeline."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import partial

import pytest

from tests.faults import inject
from tests.faults.node import until_dead
from tests.faults.scene import Scene, stop, two
from tests.kafka_pipeline.pipe import PARTITIONS, until

pytestmark = pytest.mark.kafka
RATE = 4000
INTEGRITY = 5
THROTTLED, THROTTLED_S = 100_000, 20.0


def restarts(scene: Scene, records: int, times: int, *, kill: bool) -> None:
    """The broker ends and starts again, so many times."""
    crew, node = scene.crew(), scene.node
    scene.send(records, RATE)
    for n in range(times):
        scene.beyond((2 * n + 1) * records // (2 * times + 2))
        blow = scene.strike("broker killed" if kill else "broker stopped", node.kill if kill else node.stop)
        until_dead(node)
        node.start()
        back = time.monotonic()
        scene.recovered(blow, "broker restart", since=back, seconds=90)
    scene.settle(crew)


def test_f09_a_killed_broker_that_comes_back_changes_nothing(scene: Scene) -> None:
    restarts(scene, 20_000, 1, kill=True)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kill", [True, False], ids=["killed", "stopped"])
def test_f09_four_restarts_of_the_broker_change_nothing(scene: Scene, kill: bool) -> None:
    restarts(scene, 120_000, 4, kill=kill)


@pytest.mark.slow
def test_f09_a_broker_that_is_away_for_longer_than_anyone_waits_changes_nothing(scene: Scene) -> None:
    """A single worker, which nobody starts again, and a crew."""
    alone, crew, node = scene.crew(1), scene.crew(), scene.node
    scene.send(60_000, RATE)
    scene.beyond(10_000)
    blow = scene.strike("broker killed", node.kill)
    until(lambda: "starting again" in alone.said and "starting it again" in crew.said, 150, "both gave up once")
    node.start()
    back = time.monotonic()
    scene.recovered(blow, "broker back", since=back, seconds=90)
    scene.settle(crew, alone)


@pytest.mark.slow
def test_f10_a_frozen_broker_changes_nothing(scene: Scene) -> None:
    crew, node = scene.crew(), scene.node
    scene.send(60_000, RATE)
    scene.beyond(10_000)
    blow = scene.strike("broker frozen", node.freeze)
    try:
        until(lambda: time.monotonic() - blow.at > 20, 30, "twenty seconds have passed", every=0.5)
    finally:
        node.thaw()
        thawed = time.monotonic()
    scene.recovered(blow, "broker thawed", since=thawed, seconds=90)
    scene.settle(crew)


@pytest.mark.slow
def test_f11_throttled_clients_change_nothing(scene: Scene) -> None:
    crew = scene.crew()
    scene.send(60_000, RATE)
    scene.beyond(10_000)
    with ExitStack() as stack:
        limit = partial(stack.enter_context, inject.throttled(scene.node.bootstrap, THROTTLED))
        blow = scene.strike(f"{THROTTLED:,} bytes a second each way for each client", limit)
        until(lambda: time.monotonic() - blow.at > THROTTLED_S, 2 * THROTTLED_S, "it lasts", every=0.5)
    scene.recovered(blow, seconds=90)
    scene.settle(crew)


def halted(scene: Scene, *words: str) -> None:
    """A run refuses to count what does not fit, and leaves the group's commits as they are."""
    before = scene.pipe.look().committed
    code, messages = scene.pipe.refused()
    assert code == INTEGRITY, messages
    assert all(word in "\n".join(messages) for word in words), messages
    assert scene.pipe.look().committed == before


@pytest.mark.slow
def test_f21_a_source_recreated_under_running_workers_halts_them(scene: Scene) -> None:
    pipe = scene.pipe
    crew = scene.crew()
    sender = scene.send(20_000, RATE)
    scene.beyond(4000)
    sender.wait()
    scene.beyond(sender.sent)
    stood = {tp: pipe.look().position(tp) for tp in pipe.partitions(pipe.source)}
    inject.recreate(pipe.bootstrap, pipe.source, PARTITIONS)
    scene.send(4000, RATE).wait()
    scene.entry.proofs.append(f"{sender.sent:,} records counted, then 4,000 others in the new topic")
    code = crew.wait(60)
    assert code == INTEGRITY, crew.said
    left = pipe.look()  # the broker has forgotten the positions of the deleted topic, unless it comes to it later
    assert all(left.position(tp) in (0, at) for tp, at in stood.items()), "a stored position was moved"
    halted(scene, pipe.source, "nothing was reset")
    scene.halted("exit code 5 while running and at every start; nothing reset")


def test_f21_a_source_recreated_while_a_worker_starts_again_halts_it(scene: Scene) -> None:
    """The worker that starts again finds no position, as the broker forgets those of a deleted topic."""
    pipe = scene.pipe
    crew = scene.crew()
    scene.send(8000, RATE).wait()
    scene.beyond(8000)
    pids = two(crew)
    with inject.frozen(crew.process.pid):  # nobody starts a worker again before the topic is there
        inject.kill(pids)
        inject.recreate(pipe.bootstrap, pipe.source, PARTITIONS)
        until(lambda: not any(pipe.look().committed[tp] for tp in pipe.partitions(pipe.source)), 30, "it forgot them")
        scene.send(2000, RATE).wait()
    code = crew.wait(60)
    assert code == INTEGRITY, crew.said
    assert "made anew" in crew.said
    assert all(pipe.look().position(tp) == 0 for tp in pipe.partitions(pipe.source))
    scene.entry.proofs.append("all workers killed, 2,000 records in the new topic")
    scene.halted("exit code 5; nothing of the new topic counted")


def test_f21_offsets_reset_by_an_operator_are_refused(scene: Scene) -> None:
    pipe = scene.pipe
    crew = scene.crew()
    sender = scene.send(4000, RATE)
    scene.beyond(1000)
    tp = pipe.partitions(pipe.source)[1]
    assert inject.reset_offset(pipe, tp, 0) != 0, "the broker takes no plain commit while members are at work"
    sender.wait()
    stop(crew)
    before = pipe.look().committed[tp]
    assert before is not None
    assert inject.reset_offset(pipe, tp, 7) == 0
    halted(scene, f"{pipe.source} partition 1", "another program")
    scene.entry.proofs.append(f"reset from {before.offset:,} to 7")
    scene.halted("exit code 5, told as the commit of another program; nothing reset")


@pytest.mark.slow
def test_f22_partitions_added_under_running_workers_halt_them(scene: Scene) -> None:
    pipe = scene.pipe
    crew = scene.crew()
    sender = scene.send(20_000, RATE)
    scene.beyond(4000)
    more = PARTITIONS + 2
    scene.strike("partitions added", lambda: inject.raise_partitions(pipe.bootstrap, pipe.source, more))
    inject.kill(crew.workers[:1])  # clients look for new partitions every five minutes, and at each assignment
    code = crew.wait(120)
    assert code == INTEGRITY, crew.said
    sender.wait()
    halted(scene, "had 4", "new `version`")
    scene.halted("exit code 5 while running and at every start; nothing reset")


@pytest.mark.slow
def test_f26_without_its_dead_letters_a_range_is_never_done(scene: Scene) -> None:
    pipe = scene.pipe
    inject.configure(pipe.bootstrap, pipe.names.dead_letters, max_message_bytes="100")
    crew = scene.pipe.run(workers=2)
    scene.send(20_000, RATE).wait()
    until(lambda: "not acknowledged" in crew.said, 60, "a failed dead letter is told")
    assert pipe.counted() < 20_000, "a range without its dead letters was completed"
    scene.entry.proofs.append(f"{20_000 - pipe.counted():,} records held back")
    inject.configure(pipe.bootstrap, pipe.names.dead_letters, max_message_bytes=str(16 << 20))
    crew.end()
    scene.settle()
