"""The protocol under faults, from a seed: the product's owners, driven by hand through a world that takes its time.

python -m tests.protocol.simulate --seeds 10000 [--first 0] [--defect NAME | --mutants]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import dataclass
from random import Random

from lepton_stream.errors import IntegrityError, LeptonError
from lepton_stream.protocol.limits import Limits
from lepton_stream.shuffle.frame import Frame, decode, encode
from tests.protocol.defects import DEFECTS, NONE, Defect
from tests.protocol.lives import Stage, Steps, own_shuffle, own_source
from tests.protocol.oracle import judge
from tests.protocol.quick import quick_fingerprints
from tests.protocol.records import job_of, log_of, plan_of
from tests.protocol.truth import truth_of
from tests.protocol.world import Flight, Identity, Life, Refused, Violation, What, World

MOST_STEPS = 20_000
WORKERS = 2


class Stopped(Exception):  # noqa: N818
    """A frame that does not fit was there, or records were lost, and the partition stopped: as it should be."""


@dataclass(eq=False)
class Task:
    """An incarnation at work. It runs when what it waits for is done, a paused zombie not before step `asleep`."""

    life: Life
    steps: Steps
    waits: Flight | None = None
    asleep: int = 0


class Simulation:
    """One seed."""

    def __init__(self, seed: int, defect: Defect, *, scored: bool = False) -> None:
        """`scored`: the plan has a model and an alarm, too."""
        self.rng = rng = Random(seed)
        plan, partitions = plan_of(rng, scored=scored), rng.choice((1, 2, 2, 3))
        logs = [log_of(rng, rng.randint(8, 24)) for _ in range(rng.choice((1, 2, 2)))]
        self.world = w = World(rng, logs, partitions, defect.flaws)
        jobs = (job_of(plan, partitions, "rows"), job_of(plan, partitions, "partials"))
        future = truth_of(plan, logs, [len(log) for log in logs])
        until_end, rash = rng.choice(((True, False), (True, False), (False, False), (False, True)))
        self.stage = Stage(w, defect, jobs, future, limits_of(rng), until_end, rash, Random(f"routes {seed}"))
        self.whats: list[What] = [("s", s) for s in range(len(logs))] + [("p", p) for p in range(partitions)]
        self.faults, self.forge, self.lose = rng.randint(0, 7), rng.random() < 0.06, rng.random() < 0.06
        self.forged: int | None = None
        self.step, self.restarts = 0, 0
        self.names = [f"w{i}" for i in range(WORKERS)]
        self.live: dict[What, Task] = {}
        self.zombies: list[Task] = []
        self.worker: dict[What, int] = {}
        self.rebalance(0.0)

    def run(self) -> None:
        """To the end, and once more. Raises Violation, or Stopped."""
        while self.live:
            self.advance()
            if self.faults and self.rng.random() < 0.02:
                self.faults -= 1
                self.fault()
            if self.forge and self.rng.random() < 0.01:
                self.insert_misfit()
            if self.rng.random() < 0.02:
                self.retention()
        self.drain()
        self.rebalance(0.0)  # whoever comes next finds everything in order, and repeats the last results
        while self.live:
            self.advance()
        if self.forged is not None:
            raise Violation("a frame that does not fit was passed over")
        if self.stage.forgot:
            self.forgotten()
        judge(self.stage)

    def forgotten(self) -> None:
        """Retention went up to the group's position: nothing is lost, but ids are, and the owner told how many."""
        if not self.lose:
            raise Violation("an owner forgot ids that retention had not taken")
        self.world.met["memory forgotten"] += 1
        raise Stopped("the truth remembers them")

    def advance(self) -> None:
        """One step of somebody, or of the network."""
        self.step += 1
        if self.step > MOST_STEPS:
            raise Violation("stuck")
        if self.world.flights and self.rng.random() < 0.5:
            self.world.arrive()
            return
        waking = [t for t in self.zombies if ready(t) and t.asleep < self.step] if self.rng.random() < 0.4 else []
        able = [t for t in self.live.values() if ready(t)] + waking
        if able:
            self.send(self.rng.choice(able))
        elif self.world.flights:
            self.world.arrive()

    def send(self, task: Task) -> None:
        """Let it go on to its next wait."""
        is_live = self.live.get(task.life.what) is task
        try:
            task.waits = task.steps.send(None)
        except StopIteration:
            self.remove(task)
        except (Refused, LeptonError) as error:
            self.remove(task)
            if is_live and self.forged == task.life.what[1] and isinstance(error, IntegrityError):
                self.world.met["misfit stopped"] += 1
                raise Stopped(str(error)) from error
            if is_live and self.lost(task.life.what) and isinstance(error, IntegrityError):
                self.world.met["lost records stopped"] += 1
                raise Stopped(str(error)) from error
            if is_live:
                raise Violation(f"live {task.life.what}: {type(error).__name__}: {error}") from error

    def remove(self, task: Task) -> None:
        """It is over."""
        if self.live.get(task.life.what) is task:
            del self.live[task.life.what]
        else:
            self.zombies.remove(task)

    def fault(self) -> None:
        """A rebalance, a crash with one, or a worker that comes back under its static id."""
        kind, worker = self.rng.choice(("rebalance", "crash", "static", "static")), self.rng.randrange(WORKERS)
        zombies = self.rng.choice((0.0, 0.5, 1.0))
        if kind == "rebalance":
            self.rebalance(zombies)
            return
        self.restarts += 1
        self.names[worker] = f"w{worker}.{self.restarts}"
        if kind == "crash":
            self.rebalance(zombies)
        else:
            self.replace([what for what in self.whats if self.worker[what] == worker], zombies)

    def rebalance(self, zombies: float) -> None:
        """A new generation: every partition has a new owner."""
        self.world.generation += 1
        self.worker = {what: self.rng.randrange(WORKERS) for what in self.whats}
        self.replace(self.whats, zombies)

    def replace(self, whats: list[What], zombies: float) -> None:
        """Each owner is gone, or goes on as a zombie by this chance; another one starts."""
        self.world.members = set(self.names)
        for what in whats:
            old = self.live.pop(what, None)
            if old is not None and self.rng.random() < zombies:
                old.asleep = self.step + self.rng.choice((0, 20, 200))
                self.zombies.append(old)
            elif old is not None:
                old.life.dead = True
                old.steps.close()
            worker = self.worker[what]
            life = Life(what, Identity(self.world.generation, self.names[worker]), worker)
            if what[0] == "s":
                self.stage.reading[what[1]] = life
            self.live[what] = Task(life, (own_source if what[0] == "s" else own_shuffle)(self.stage, life))

    def drain(self) -> None:
        """What zombies still hold arrives at last."""
        for _ in range(200):
            able = [t for t in self.zombies if ready(t)]
            if able:
                self.send(self.rng.choice(able))
            if self.world.flights:
                self.world.arrive()
        for task in self.zombies:
            task.life.dead = True
            task.steps.close()
        self.zombies = []

    def retention(self) -> None:
        """Old records of a source are deleted: those that nobody needs, or once some that were not read."""
        s = self.rng.randrange(len(self.world.logs))
        if self.lose:
            self.world.lose(s)
        else:
            self.world.retain(s, self.stage.jobs[0].plan.dedup_memory)

    def lost(self, what: What) -> bool:
        """Has retention taken records from this source that nobody had read?"""
        return self.lose and what[0] == "s" and self.world.source_start[what[1]] > 0

    def insert_misfit(self) -> None:
        """A frame that overlaps what was sent, or leaves a hole: merge must stop, and count nothing of it."""
        p, s = self.rng.randrange(self.world.partitions), self.rng.randrange(len(self.world.logs))
        ends = [f.end for f in map(decode, self.world.shuffle[p]) if f.source == s and f.end > f.start]
        if not ends:
            return
        at = max(ends) + self.rng.choice((-1, 1))
        misfit = Frame(self.stage.jobs[0].plan_hash, s, at, at + 2, 0)
        self.world.shuffle[p].append(encode(misfit))
        self.forge, self.forged = False, p


def limits_of(rng: Random) -> Limits:
    """Small enough that everything takes several parts, slices and checkpoints."""
    return Limits(
        part_bytes=rng.choice((700, 1500, 5000)),
        closed_at_once=rng.choice((1, 2, 10)),
        cells_a_slice=rng.choice((1, 2, 4)),
        least_bytes=rng.choice((2000, 8000)),
        longest_chain=rng.choice((1, 2, 4)),
    )


def ready(task: Task) -> bool:
    """Does it wait for nothing?"""
    return task.waits is None or task.waits.done


def run(seed: int, defect: Defect = NONE) -> str | None:
    """What is wrong, None if nothing is."""
    return run_counting(seed, defect)[0]


def run_counting(seed: int, defect: Defect = NONE, *, scored: bool = False) -> tuple[str | None, Counter[str]]:
    """The same, and what happened. `scored`: with a model and an alarm."""
    simulation = Simulation(seed, defect, scored=scored)
    return _wrong(simulation), +simulation.world.met


def _wrong(simulation: Simulation) -> str | None:
    try:
        with quick_fingerprints():
            simulation.run()
    except Stopped:
        return None
    except (Violation, LeptonError) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        for task in (*simulation.live.values(), *simulation.zombies):
            task.steps.close()
    return None


def first_failure(defect: Defect, first: int, seeds: int) -> tuple[int, str] | None:
    """The first seed at which something is wrong, and what."""
    for seed in range(first, first + seeds):
        wrong = run(seed, defect)
        if wrong is not None:
            return seed, wrong
    return None


def main() -> int:
    """Exit code 1 where the protocol fails, or a planted defect is not found."""
    parser = argparse.ArgumentParser(description="The protocol, simulated with the product's own owners.")
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--defect", choices=sorted(DEFECTS))
    parser.add_argument("--mutants", action="store_true", help="every planted defect: the first seed that finds it")
    given = parser.parse_args()
    chosen = DEFECTS if given.mutants else {given.defect: DEFECTS[given.defect]} if given.defect else {"protocol": NONE}
    failed = False
    for name, defect in chosen.items():
        found = first_failure(defect, given.first, given.seeds)
        told = f"found at seed {found[0]}: {found[1][:140]}" if found else f"{given.seeds} seeds, nothing found"
        print(f"{name:28} {told}", flush=True)  # noqa: T201 - it is a command
        failed |= (found is None) == (name in DEFECTS)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
