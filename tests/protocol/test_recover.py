"""Commits that expired: the logs alone are enough to go on, wherever the service had stopped."""

from __future__ import annotations

from collections import Counter

from lepton_stream.chunk import SourcePartition
from lepton_stream.core import PartitionState
from lepton_stream.protocol.metadata import to_text
from lepton_stream.protocol.recover import Recovery, claims
from tests.protocol.defects import NONE
from tests.protocol.lives import Pause, _feed
from tests.protocol.quick import quick_fingerprints
from tests.protocol.simulate import Simulation, Task
from tests.protocol.world import Identity, Life, What

SEEDS = 150


class Expired(Simulation):
    """A run whose owners all die at some step; then the group's commits are deleted."""

    def until_death(self, steps: int) -> None:
        self.lose = False
        while self.live and self.step < steps:
            self.advance()
            if self.faults and self.rng.random() < 0.02:
                self.faults -= 1
                self.fault()
        before = sum(map(len, self.world.shuffle))
        while self.live and sum(map(len, self.world.shuffle)) == before:  # right after a frame has arrived
            self.advance()
        self.kill_all()
        self.expire()

    def kill_all(self) -> None:
        for task in (*self.live.values(), *self.zombies):
            task.life.dead = True
            task.steps.close()
        self.live, self.zombies = {}, []
        for flight in self.world.flights:
            if self.rng.random() < 0.8:
                flight.effects.clear()
        while self.world.flights:
            self.world.arrive()

    def expire(self) -> None:
        """All commits, or some, but at least one of a partition that holds state."""
        w, everything = self.world, self.rng.random() < 0.7
        known: list[What] = [("p", p) for p in range(w.partitions) if w.state[p]]
        if everything or not known:
            w.commits.clear()
            return
        gone = [what for what in w.commits if self.rng.random() < 0.5]
        for what in {*gone, self.rng.choice(known)}:
            w.commits.pop(what, None)
        w.met["some commits left"] += bool(w.commits)

    def recover(self, most_steps: int = 10**9) -> bool:
        """False if it was killed after so many steps."""
        w = self.world
        w.generation += 1
        who = Identity(w.generation, self.names[0])
        w.members = {who.member}
        folded: dict[int, PartitionState] = {}
        places: dict[What, tuple[int, str]] = {}
        for p in range(w.partitions):
            self.live["p", p] = Task(life := Life(("p", p), who, 0), self.fold_again(life, folded, places))
        stop = self.step + most_steps
        while self.live:
            if self.step >= stop:
                w.met["killed while recovering"] += any(map(len, w.state))
                self.kill_all()
                return False
            self.advance()
        begins = dict.fromkeys(range(len(w.logs)), 0)
        for s, (offset, claim) in claims(self.stage.jobs[0], folded, begins).items():
            places["s", s] = offset, to_text(claim)
        for what, (offset, metadata) in places.items():  # one request
            if what not in w.commits:
                w.commit(who, what, offset, metadata)
        return True

    async def fold_again(
        self, life: Life, folded: dict[int, PartitionState], places: dict[What, tuple[int, str]]
    ) -> None:
        w, p = self.world, life.what[1]
        port, job = self.stage.defect.merge_port(w, life), self.rng.choice(self.stage.jobs)
        partition = SourcePartition("shuffle", p)
        recovery = Recovery(job, partition, port, len(w.logs), f"r{p}", self.stage.limits)
        await recovery.begin(w.position(life.what))
        while _feed(w, recovery, p):
            await Pause()
        if life.what not in w.commits:
            places[life.what] = await recovery.write()
        folded[p] = recovery.state


def run(seed: int) -> Counter[str]:
    """Seed by seed the same stops at other moments. Raises Violation."""
    simulation = Expired(seed, NONE)
    simulation.stage.until_end, simulation.forge = False, False
    with quick_fingerprints():
        simulation.until_death(simulation.rng.choice((0, 50, 100, 200, 300, 400)))
        for _ in range(simulation.rng.choice((0, 0, 1, 2))):
            simulation.recover(most_steps=simulation.rng.randint(1, 40))
        simulation.recover()
        claimed = [commit for what, commit in simulation.world.commits.items() if what[0] == "s"]
        simulation.world.met["torn range claimed"] += any('"claim"' in text for _, text in claimed)
        simulation.rebalance(0.0)
        simulation.run()
    return simulation.world.met


def test_nothing_is_lost_or_counted_twice_when_the_commits_have_expired() -> None:
    met = Counter[str]()
    for seed in range(SEEDS):
        met += run(seed)
    assert met["torn range claimed"] > SEEDS // 50
    assert met["some commits left"] > SEEDS // 10
    assert met["killed while recovering"] > SEEDS // 10
    assert met["state trimmed"]
    assert met["shuffle trimmed"]
