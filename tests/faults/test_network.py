"""Rows F5 to F8 and F11: one of two workers reaches the broker through a proxy that cuts, resets and refuses."""

from __future__ import annotations

import time
from functools import partial

import pytest

from tests.faults.load import load
from tests.faults.proxy import Proxy
from tests.faults.refusals import COMMIT, FETCH, HEARTBEAT, PRODUCE, RefusingProxy
from tests.faults.scene import Scene, stop
from tests.kafka_pipeline.pipe import Run, alive, until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
RECORDS, RATE = 90_000, 3000
LOAD = 2 * RATE
CUT_S = 12.0
"""Six sessions."""
NO_LEADER_YET, NOT_LEADER, TIMED_OUT, TOO_LARGE, UNKNOWN_TOPIC = 5, 6, 7, 10, 3
LOADING, NO_COORDINATOR, NOT_COORDINATOR, NOT_ENOUGH, REBALANCE = 14, 15, 16, 19, 27
REFUSALS = {
    PRODUCE: (UNKNOWN_TOPIC, NO_LEADER_YET, NOT_LEADER, TIMED_OUT, TOO_LARGE, NOT_ENOUGH),
    FETCH: (UNKNOWN_TOPIC, NO_LEADER_YET, NOT_LEADER),
    COMMIT: (UNKNOWN_TOPIC, TIMED_OUT, LOADING, NO_COORDINATOR, NOT_COORDINATOR, REBALANCE),
    HEARTBEAT: (NO_COORDINATOR, NOT_COORDINATOR, REBALANCE),
}
TIMES = 3
"""So that who tries once more only is found out, too."""
NAMES = {PRODUCE: "produce", FETCH: "fetch", COMMIT: "commit", HEARTBEAT: "heartbeat"}


def both(scene: Scene) -> tuple[Run, Run]:
    """A worker with the plain network, and one behind the proxy."""
    plain = scene.crew(1)
    behind = scene.pipe.run(workers=1, at=scene.node.by_proxy)
    until(lambda: scene.pipe.members() == 2, 60, "both are members")
    return plain, behind


def cut(scene: Scene, proxy: Proxy, *, up: bool) -> None:
    plain, behind = both(scene)
    scene.send(RECORDS, RATE)
    scene.beyond(RECORDS // 10)
    assert proxy.passed > 0, "the worker is not behind the proxy"
    blow = scene.strike("network cut" if up else "answers cut off", lambda: proxy.cut(up=up))
    scene.recovered(blow)
    until(lambda: time.monotonic() - blow.at > CUT_S, 30, "the cut lasts", every=0.2)
    proxy.heal()
    healed = time.monotonic()
    until(lambda: scene.pipe.members() == 2 or not alive(behind.process.pid), 60, "it is back, or has ended")
    scene.entry.times.append(("network healed", time.monotonic() - healed))
    leave(scene, plain, behind)


def leave(scene: Scene, plain: Run, behind: Run) -> None:
    """Whoever is still there stops politely; whoever has ended said why."""
    for sender in scene._senders:
        sender.wait()
    if alive(behind.process.pid):
        stop(behind)
    else:
        assert behind.wait() in (1, 4), behind.said
    scene.settle(plain)


def test_f05_a_worker_cut_off_from_the_broker_changes_nothing(scene: Scene, proxy: Proxy) -> None:
    cut(scene, proxy, up=True)


def test_f06_a_worker_that_hears_no_answers_changes_nothing(scene: Scene, proxy: Proxy) -> None:
    cut(scene, proxy, up=False)


def test_f07_a_slow_network_changes_nothing(scene: Scene, proxy: Proxy) -> None:
    plain, behind = both(scene)
    scene.send(RECORDS // 3, RATE // 3)
    scene.beyond(RECORDS // 20)

    def slow() -> None:
        proxy.delay, proxy.rate = 0.1, 125_000

    blow = scene.strike("100 ms each way, 1 Mbit/s", slow)
    scene.recovered(blow, seconds=120)
    proxy.heal()
    proxy.stalls = 0.2
    blow = scene.strike("a fifth of all pieces stalled", lambda: None)
    scene.recovered(blow, seconds=120)
    proxy.heal()
    leave(scene, plain, behind)


def test_f08_reset_connections_change_nothing(scene: Scene, proxy: Proxy) -> None:
    plain, behind = both(scene)
    scene.send(RECORDS // 2, RATE)
    for n in range(4):
        scene.beyond((n + 1) * RECORDS // 12)
        resets: list[int] = []
        blow = scene.strike("connections reset", lambda resets=resets: resets.append(proxy.reset()))  # type: ignore[misc]
        assert resets[0] > 0 or not alive(behind.process.pid)
        scene.recovered(blow, "connections reset")
    leave(scene, plain, behind)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", REFUSALS, ids=NAMES.get)
def test_f11_each_error_code_of_the_broker_changes_nothing(scene: Scene, refusing: RefusingProxy, kind: int) -> None:
    """Refused by us, so that the broker never hears of it; then done by it, with an answer that says otherwise."""
    plain, behind = both(scene)
    records = load(scene.seed)
    for code, after in refusals(kind):
        sender = scene.send(LOAD, RATE, records)
        scene.beyond(scene.pipe.counted() + LOAD // 10)
        before = refusing.told[kind, code]
        what = f"{NAMES[kind]} {'done and ' * after}refused with code {code}"
        blow = scene.strike(what, partial(refusing.refuse, kind, code, TIMES, after=after))
        until(lambda: refusing.told[kind, code] == before + TIMES, 60, f"{what} {TIMES} times")  # noqa: B023
        sender.wait()
        scene.recovered(blow, seconds=120)
        until(lambda: scene.pipe.members() == 2, 60, "both are members")
    leave(scene, plain, behind)


def refusals(kind: int) -> list[tuple[int, bool]]:
    """(code, whether the broker does as asked before that). A fetch changes nothing there."""
    return [(code, after) for after in ((True,) if kind == FETCH else (False, True)) for code in REFUSALS[kind]]
