"""From measured steps to moved partitions, in simulated time: who is throttled asks, gives away, is left in peace."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from lepton_stream import clock
from lepton_stream.autopilot.decision import Decision
from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.assignor import LoadAssignor
from lepton_stream.runtime.kafka.balancing import Balancer
from lepton_stream.runtime.kafka.group import Committed
from lepton_stream.runtime.kafka.view import Seen
from lepton_stream.telemetry import catalogue as c
from tests.kafka.test_assignor import Cluster, Group

TPS = [SourcePartition("in", p) for p in range(8)]
COST_S = 1e-3
"""CPU seconds a record."""


class Clock:
    """Time of the simulation, and what each worker's loop has used by then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.cpu = 0.0
        monkeypatch.setattr(clock, "elapsed_s", lambda: self.now)
        monkeypatch.setattr(clock, "thread_cpu_s", lambda: self.cpu)


@dataclass
class Sim:
    """Workers that get so many cores, logs that are written at a rate, a group that answers three seconds later."""

    clock: Clock
    cores: dict[str, float]
    rate: int = 80
    rest_s: int = 3
    written: dict[SourcePartition, int] = field(default_factory=lambda: dict.fromkeys(TPS, 0))
    done: dict[SourcePartition, float] = field(default_factory=lambda: dict.fromkeys(TPS, 0.0))
    asked: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.group = Group()
        self.balancers: dict[str, Balancer] = {}
        self.used = dict.fromkeys(self.cores, 0.0)
        for name in self.cores:
            self.group.members[name] = LoadAssignor(name, self.group.decisions.append)
            self.balancers[name] = Balancer(self.group.members[name])
        self.rejoin()
        self.due: float | None = None

    def rejoin(self) -> None:
        given = self.group.join()
        self.owned = {name: [tp for tp in own if tp in TPS] for name, own in given.items()}
        for balancer in self.balancers.values():
            balancer.assigned()
        self.due = None

    def second(self) -> None:
        """Everybody works for a second, then looks."""
        self.clock.now += 1.0
        for tp in TPS:
            self.written[tp] += self.rate
        if self.due is None:  # a group that is placing partitions stands still
            for name, own in self.owned.items():
                self._work(name, own)
        self.lags.append(sum(self.written[tp] - self.done[tp] for tp in TPS))
        ends = dict(self.written)
        seen = Seen({tp: Committed(int(self.done[tp]), "") for tp in TPS}, ends)
        asks = []
        for name, balancer in self.balancers.items():
            self.clock.cpu = self.used[name]
            asks.append(balancer.look(seen, set(self.owned[name])))
        if any(asks) and self.due is None:
            self.asked.append(self.clock.now)
            self.due = self.clock.now + self.rest_s
        elif self.due is not None and self.clock.now >= self.due:
            self.rejoin()

    def _work(self, name: str, own: list[SourcePartition]) -> None:
        left = self.cores[name] / COST_S
        for n, tp in enumerate(own):
            some = min(self.written[tp] - self.done[tp], left / (len(own) - n))
            left -= some
            self.done[tp] += some
            self.used[name] += some * COST_S
            self.balancers[name].measured.step(tp, some * COST_S, some * COST_S / self.cores[name], int(some))

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.second()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_when_a_worker_is_throttled_lag_stops_growing_within_a_minute_and_nobody_asks_again(time: Clock) -> None:
    sim = Sim(time, {"a": 1.0, "b": 1.0})
    sim.run(60)
    assert sim.asked == []
    sim.cores["a"] = 0.15
    sim.run(60)
    highest = max(sim.lags)
    sim.run(240)
    assert max(sim.lags) == highest
    assert sim.lags[-1] < 2 * 8 * sim.rate
    assert len(sim.asked) <= 2
    assert len(sim.owned["a"]) < len(sim.owned["b"])
    loads = [d for d in sim.group.decisions if d.choice == "load" and d.delivered is None]
    assert "takes the highest use from" in loads[0].why


def test_a_group_that_is_too_small_is_stopped_ever_more_rarely_whoever_asks(time: Clock) -> None:
    sim = Sim(time, {"a": 0.1, "b": 0.1, "c": 0.1})
    sim.balancers["c"].look(Seen({}, {}), set())  # c hears of everything, and has room to all appearances
    sim.rate = 400
    sim.run(3600)
    pauses = [later - earlier for earlier, later in pairwise(sim.asked)]
    assert len(sim.asked) <= 8
    assert all(later >= earlier for earlier, later in pairwise(pauses[-4:]))


def test_where_all_is_well_nobody_asks_for_an_hour(time: Clock) -> None:
    sim = Sim(time, {"a": 1.0, "b": 0.9})
    sim.run(3600)
    assert sim.asked == []


def test_a_worker_whose_quota_is_back_gets_work_again_once_the_other_has_too_much(time: Clock) -> None:
    sim = Sim(time, {"a": 1.0, "b": 1.0})
    sim.run(60)
    sim.cores["a"] = 0.05
    sim.run(400)
    assert len(sim.owned["a"]) <= 1
    sim.cores["a"] = 1.0
    sim.rate = 200  # more than one worker bears
    sim.run(200)
    assert len(sim.owned["a"]) >= 3
    assert sim.lags[-1] < 2 * 8 * sim.rate


def test_in_a_group_that_is_placed_equally_nobody_asks(time: Clock) -> None:
    sim = Sim(time, {"a": 1.0, "b": 1.0})
    for member in sim.group.members.values():
        member.word = None
    sim.cores["a"] = 0.15
    sim.run(300)
    assert sim.asked == []


def test_a_worker_that_is_alone_asks_nobody(time: Clock) -> None:
    sim = Sim(time, {"a": 0.1})
    sim.run(300)
    assert sim.asked == []


def test_without_placement_by_load_it_measures_for_metrics_only(time: Clock) -> None:
    balancer = Balancer(None)
    balancer.assigned()
    for now in range(1, 30):
        time.now, time.cpu = float(now), 0.5 * now
        balancer.measured.step(TPS[0], 0.5, 1.0, 100)
        seen = Seen({TPS[0]: Committed(100 * now, "")}, {TPS[0]: 100 * now})
        assert not balancer.look(seen, {TPS[0]})
    gauges = balancer.gauges("3", [TPS[0], TPS[1]])
    assert gauges[c.WORKER_CAPACITY.name] == {("3",): pytest.approx(0.5)}
    assert gauges[c.PARTITION_LOAD.name] == {("in", "0"): pytest.approx(0.5, rel=0.1)}


def test_before_any_work_there_is_nothing_to_tell() -> None:
    assert Balancer(LoadAssignor("w", _unheard)).gauges("0", TPS) == {
        c.PARTITION_LOAD.name: {},
        c.WORKER_CAPACITY.name: {},
    }


def _unheard(_: Decision) -> None:
    """Nobody listens."""


def test_the_simulated_group_knows_the_topics_that_the_test_is_about() -> None:
    assert {tp.partition for tp in TPS} == Cluster().partitions_for_topic("in")
