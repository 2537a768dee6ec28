"""What the autopilot is worth: against every static way on three workloads, after shifts, and how often it moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lepton_stream.bench.kafka import Through
from lepton_stream.bench.spread import Spread
from lepton_stream.bench.steered import Steered, Task, Way, steered
from lepton_stream.bench.stream import Mix
from lepton_stream.errors import LeptonError

WORKLOADS: Mapping[str, Mix] = {
    "few keys": Mix(1000),
    "many keys": Mix(1_000_000),
    "hot key": Mix(1_000_000, hot=0.5),
}
INTERVALS_MS = (0, 50, 200)
STATIC = tuple(
    Way(f"{route}, {ms} ms", ("--route", route, "--flush-interval", f"{ms}ms"))
    for route in ("rows", "partials")
    for ms in INTERVALS_MS
)
ACT = Way("autopilot", ("--autopilot", "act"))
GOOD = 0.95
"""Share of windows within the objective from which a static way counts as one that keeps it."""
NEAR = 1.15
"""A shift is over once the cost is no more than so many times that of the best static way."""
ROLL_S = 10.0
"""Over so many seconds the cost is taken then: a shorter time holds too few checkpoints."""
STEP_S = 0.5


@dataclass(frozen=True, slots=True)
class Asked:
    """`rate`: events a second. `settle_s`: of each run, left out. `seconds`: of each run, measured behind that.

    `runs`: of each way and workload. `minutes`: how long the data stays as it is for the count of moves.
    """

    rate: float = 20_000.0
    settle_s: float = 30.0
    seconds: float = 40.0
    runs: int = 3
    minutes: float = 10.0
    objective_s: float = 1.0
    static: Sequence[Way] = STATIC

    def task(self, *mixes: Mix, each_s: float | None = None) -> Task:
        """These mixes, one after the other."""
        return Task(self.rate, each_s or self.settle_s + self.seconds, mixes, self.objective_s)


def compared(through: Through, asked: Asked, chosen: Sequence[str]) -> dict[str, Any]:
    """Every static way and the autopilot on the chosen workloads, in turns. Raises IntegrityError, LeptonError."""
    told = {}
    for name in chosen:
        mix, ways = WORKLOADS[name], [*asked.static, ACT]
        runs: dict[str, list[dict[str, Any]]] = {way.name: [] for way in ways}
        for number in range(1, asked.runs + 1):
            for way in ways if number % 2 else reversed(ways):  # what drifts over the session hits all alike
                through.tell(f"autopilot: {name}, {way.name}, run {number} of {asked.runs}")
                runs[way.name].append(_figures(steered(through, asked.task(mix), way), asked))
        told[name] = {"keys": mix.keys, "hot": mix.hot, **judged(runs)}
    return told


def _figures(done: Steered, asked: Asked) -> dict[str, Any]:
    begin, end = asked.settle_s, asked.settle_s + asked.seconds
    within, windows = done.landed.within(asked.objective_s, begin, end - 1.0)
    cost = done.cost(begin, end)
    if cost <= 0.0:
        raise LeptonError("bench: the worker was given no CPU while it was measured; is the machine busy?")
    return {
        "cost": cost,
        "within": within,
        "windows": windows,
        "p99": done.landed.ages(begin, end - 1.0).get("p99"),
        "kept_up": done.kept_up,
        "moves": done.moves,
    }


def judged(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Each way's figures, the best static way, and what the autopilot takes by what that took in the same round.

    Rounds in which one of the two fell behind say nothing of cost: they are left out, and counted.
    """
    ways = {name: _way(of) for name, of in runs.items()}
    best = best_of({name: way for name, way in ways.items() if name != ACT.name})
    rounds = list(zip(runs[ACT.name], runs[best], strict=True))
    ratios = [mine["cost"] / theirs["cost"] for mine, theirs in rounds if mine["kept_up"] and theirs["kept_up"]]
    of_best = Spread.of(ratios).plain() if ratios else None
    return {"ways": ways, "best": best, "of_best": of_best, "left_out": len(rounds) - len(ratios)}


def _way(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    ages = [run["p99"] for run in runs if run["p99"] is not None]
    return {
        "cpu_seconds_per_million": Spread.of([run["cost"] for run in runs]).plain(),
        "within": Spread.of([run["within"] for run in runs]).plain(),
        "windows": sum(run["windows"] for run in runs),
        "p99": Spread.of(ages).plain() if ages else None,
        "kept_up": all(run["kept_up"] for run in runs),
        "moves": [run["moves"] for run in runs],
    }


def best_of(ways: Mapping[str, Mapping[str, Any]]) -> str:
    """The cheapest of those that keep up and keep the objective; of all, where none does."""
    keeping = [name for name, way in ways.items() if way["kept_up"] and way["within"]["median"] >= GOOD]
    return min(keeping or ways, key=lambda name: float(ways[name]["cpu_seconds_per_million"]["median"]))


def shifted(through: Through, asked: Asked, best: Mapping[str, float]) -> dict[str, Any]:
    """The workloads one after the other under the autopilot; `best`: cost of the best static way on each.

    Raises IntegrityError.
    """
    through.tell(f"autopilot: a shift from {' to '.join(best)}")
    each_s = asked.settle_s + asked.seconds
    done = steered(through, asked.task(*(WORKLOADS[name] for name in best), each_s=each_s), ACT)
    rows = []
    for number, (name, target) in enumerate(best.items()):
        begin, end = number * each_s, (number + 1) * each_s
        rows.append(
            {
                "workload": name,
                "best_static": target,
                "near_after_s": near_after(done.cost, begin, end, target),
                "cost": done.cost(begin + asked.settle_s, end),
                "within": done.landed.within(asked.objective_s, begin, end - 1.0)[0],
                "moves": moves_between(done, begin, end),
            }
        )
    return {"near": NEAR, "over_s": ROLL_S, "each_s": each_s, "kept_up": done.kept_up, "rows": rows}


def near_after(
    cost: Callable[[float, float], float], begin_s: float, end_s: float, target: float, roll_s: float = ROLL_S
) -> float | None:
    """Seconds from `begin_s` until the cost of the next `roll_s` is near the target; None: not before `end_s`."""
    steps = int(max(end_s - begin_s - roll_s, 0.0) / STEP_S)
    for step in range(steps + 1):
        at = begin_s + step * STEP_S
        if at + roll_s <= end_s and cost(at, at + roll_s) <= NEAR * target:
            return at - begin_s
    return None


def moves_between(done: Steered, begin_s: float, end_s: float) -> dict[str, int]:
    """Decisions by knob that were made in between, by the time that they tell."""
    start_ms = done.start_ms
    found: dict[str, int] = {}
    for told in done.decisions:
        if begin_s <= (told.time_ms - start_ms) / 1000 < end_s:
            found[told.decision.knob] = found.get(told.decision.knob, 0) + 1
    return dict(sorted(found.items()))


def constant(through: Through, asked: Asked, name: str) -> dict[str, Any]:
    """How often the autopilot moves while the data stays as it is. Raises IntegrityError."""
    seconds = asked.minutes * 60
    through.tell(f"autopilot: {name} for {asked.minutes:g} minutes")
    done = steered(through, asked.task(WORKLOADS[name], each_s=seconds), ACT)
    return {
        "workload": name,
        "minutes": asked.minutes,
        "settle_s": asked.settle_s,
        "moves": done.moves,
        "moves_after_settling": moves_between(done, asked.settle_s, seconds),
        "cost": done.cost(min(asked.settle_s, seconds / 2), seconds),
        "within": done.landed.within(asked.objective_s, min(asked.settle_s, seconds / 2), seconds - 1.0)[0],
        "kept_up": done.kept_up,
    }
