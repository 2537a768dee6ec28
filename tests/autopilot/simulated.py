"""A worker whose true costs are known: it prepares and folds by the clock of the simulation, with noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from lepton_stream.autopilot.decision import Decision
from lepton_stream.autopilot.pilot import Pilot
from lepton_stream.autopilot.priors import CODECS, FOLD, PREPARE, priors_of
from lepton_stream.autopilot.seen import FoldSeen, PrepareSeen, SectionSeen
from lepton_stream.autopilot.setting import Route, Setting
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.plan import Plan

Keys = NDArray[np.int64]
Workload = Callable[[np.random.Generator, int], Keys]
ROUTES: tuple[Route, ...] = ("rows", "partials")
US = 1e-6


def few(dice: np.random.Generator, n: int) -> Keys:
    """Two hundred keys."""
    return dice.integers(0, 200, n)


def million(dice: np.random.Generator, n: int) -> Keys:
    """A million keys."""
    return dice.integers(0, 1_000_000, n)


def hot(dice: np.random.Generator, n: int) -> Keys:
    """One key of half the events among a million."""
    return np.where(dice.random(n) < 0.5, 0, dice.integers(0, 1_000_000, n))


WORKLOADS: dict[str, Workload] = {"few": few, "million": million, "hot": hot}


def plan_of(*results: dict[str, str], size: str = "1m") -> Plan:
    """One window section for each set of results."""
    made = (
        Pipeline("simulated")
        .source("simulated.v1", time="t", key="device")
        .field("t", "float")
        .field("device", "str")
        .field("value", "float", required=False)
    )
    for i, one in enumerate(results):
        made = made.window(f"w{i}", size=size, lateness="1s", group_by=["device"], results=one)
    return made.plan


NARROW = {"n": "count()", "mean": "mean(value)"}
WIDE = {
    **NARROW,
    "sd": "std(value)",
    "low": "min(value)",
    "high": "max(value)",
    "first": "first(value)",
    "last": "last(value)",
}
PLAN = plan_of(NARROW)


@dataclass(frozen=True, slots=True)
class Counted:
    """Of one flush: (rows, cells, hot rows, hot cells)."""

    rows: int
    cells: int
    hot_rows: int
    hot_cells: int


def count(keys: Keys, window: Keys) -> Counted:
    """Cells by plain counting."""
    _, times = np.unique(keys * 4096 + window % 4096, return_counts=True)
    several = times[times > 1]
    return Counted(len(keys), len(times), int(several.sum()), len(several))


class Truth:
    """What things really take. Each coefficient is its prior times 2 to the power of something in [-1, 1].

    Cells are dearer the more there are (caches), and splitting is dearer than the model thinks.
    """

    def __init__(self, plan: Plan, seed: int, *, off: float = 1.0) -> None:
        dice = np.random.default_rng(seed)
        priors = priors_of(plan, plan.topics.partitions)
        self.partitions, self.models = plan.topics.partitions, len(plan.in_order)
        self.prepare = priors.prepare * 2.0 ** dice.uniform(-off, off, len(priors.prepare))
        self.fold = priors.fold * 2.0 ** dice.uniform(-off, off, len(priors.fold))
        self.bytes = priors.bytes * 2.0 ** dice.uniform(-off / 2, off / 2, len(priors.bytes))
        self.flush_s = 300 * US * 2.0 ** dice.uniform(-off, off)
        self.slower = 2.0 ** dice.uniform(-off, off)

    def steps(self, counted: tuple[Counted, ...], routes: tuple[Route, ...]) -> tuple[float, float, float]:
        """(CPU seconds of preparing, of folding, bytes of frames) of one flush, without noise."""
        prepare, fold, size = self.prepare[-1], self.fold[-1], self.bytes[-1]
        scored = self.models * counted[0].rows
        prepare, fold, size = prepare + self.prepare[-2] * scored, fold + self.fold[-2] * scored, size + 43.0 * scored
        for i, (c, route) in enumerate(zip(counted, routes, strict=True)):
            p, f = self.prepare[i * len(PREPARE) :], self.fold[i * len(FOLD) :]
            partials = {"rows": 0, "partials": c.cells, "mixed": c.hot_cells}[route]
            aggregated = {"rows": 0, "partials": c.rows, "mixed": c.hot_rows + c.rows // 4}[route]
            rows = {"rows": c.rows, "partials": 0, "mixed": c.rows - c.hot_rows}[route]
            within = c.cells - partials
            crowd = 1.0 + 0.1 * np.log10(max(c.cells, 100) / 100)
            frames = [self.partitions * (n > 0) for n in (rows, partials)]
            prepare += p[0] * aggregated + p[1] * rows + p[2] * partials * crowd + p[3] * frames[0] + p[4] * frames[1]
            fold += f[0] * rows + (f[1] * within + f[2] * partials) * crowd + f[3] * frames[0] + f[4] * frames[1]
            size += self.bytes[2 * i] * rows + self.bytes[2 * i + 1] * partials
        return float(prepare), float(fold), float(size)

    def flush(self, counted: tuple[Counted, ...], setting: Setting) -> float:
        """CPU seconds of one flush that a setting decides on, without noise; a byte on its way takes 3 ns."""
        prepare, fold, size = self.steps(counted, setting.routes)
        codec = CODECS[setting.codec]
        coded = (codec.compress_s + codec.decompress_s) * self.slower + codec.ratio * 3e-9
        return prepare + fold + self.flush_s + size * coded


@dataclass
class Worker:
    """One source partition of `rate` records a second; a claim goes out `gap_s` after the flush interval has passed."""

    pilot: Pilot
    plan: Plan
    truth: Truth
    seed: int
    rate: float = 20_000.0
    gap_s: float = 0.02
    noise: float = 0.08
    late_s: float = 0.15
    now: float = 0.0
    told: list[Decision] = field(default_factory=list)
    """As first told, with the seconds in `about`."""
    completed: list[Decision] = field(default_factory=list)
    waits: list[tuple[float, float]] = field(default_factory=list)
    """(when, how late results of a window were)."""

    def __post_init__(self) -> None:
        self.dice = np.random.default_rng(self.seed)
        self._looked = self.now

    def run(self, workload: Workload, seconds: float) -> None:
        """So much of the simulation's time."""
        until = self.now + seconds
        while self.now < until:
            self._flush(workload)
            if self.now - self._looked >= 1.0:
                self._looked = self.now
                for decision in self.pilot.look(self.now):
                    self._note(decision)

    def _note(self, decision: Decision) -> None:
        if decision.delivered is not None:
            self.completed.append(decision)
        else:
            self.told.append(replace(decision, about={**decision.about, "at": f"{self.now:.0f}"}))

    def _noisy(self, seconds: float) -> float:
        return seconds * float(np.exp(self.dice.normal(0.0, self.noise)))

    def _flush(self, workload: Workload) -> None:
        setting = self.pilot.setting
        cycle_s = setting.flush_s + self.gap_s
        n = int(self.dice.poisson(self.rate * cycle_s))
        began, self.now = self.now, self.now + cycle_s
        if n == 0:
            return
        counted = self._counted(workload, n, began, cycle_s)
        prepare, fold, size = self.truth.steps(counted, setting.routes)
        codec = CODECS[setting.codec]
        self.pilot.prepared(
            PrepareSeen(
                n,
                tuple(
                    SectionSeen(r, c.rows, c.cells, c.hot_rows, c.hot_cells)
                    for r, c in zip(setting.routes, counted, strict=True)
                ),
                self._noisy(0.3 * US * n),
                self._noisy(prepare),
                self._noisy(size * codec.compress_s * self.truth.slower),
                self._noisy(self.truth.flush_s),
                int(size),
                int(size * codec.ratio),
                cycle_s,
            )
        )
        rows = [{"rows": c.rows, "partials": 0, "mixed": c.rows - c.hot_rows}[r] for r, c in self._by(setting, counted)]
        cells = [{"rows": 0, "partials": c.cells, "mixed": c.hot_cells}[r] for r, c in self._by(setting, counted)]
        frames = self.truth.partitions
        self.pilot.folded(FoldSeen(frames, sum(rows), sum(cells), int(size), self._noisy(fold)))
        for end in range(int(began) + 1, int(self.now) + 1):  # windows of a second, which its records have closed
            late_s = self.now - end + self._noisy(self.late_s)
            self.waits.append((self.now, late_s))
            self.pilot.fresh(late_s, sum(c.cells for c in counted))

    def _by(self, setting: Setting, counted: tuple[Counted, ...]) -> list[tuple[Route, Counted]]:
        return list(zip(setting.routes, counted, strict=True))

    def _counted(self, workload: Workload, n: int, began: float, cycle_s: float) -> tuple[Counted, ...]:
        return flush_of(self.plan, self.dice, workload, n, began, cycle_s)

    def turns(self) -> Counter[tuple[str, str]]:
        """How often each knob was turned."""
        return Counter((d.knob, d.about.get("section", "")) for d in self.told)

    def story(self) -> str:
        """For a failed test."""
        told = (f"{d.about['at']} s: {d.knob} {d.about.get('section', '')}" for d in self.told)
        return "\n".join(f"{where} {d.choice}: {d.why}" for where, d in zip(told, self.told, strict=True))


def flush_of(
    plan: Plan, dice: np.random.Generator, workload: Workload, n: int, began: float, cycle_s: float
) -> tuple[Counted, ...]:
    """Each section's cells of one flush."""
    keys = workload(dice, n)
    times = began + np.sort(dice.random(n)) * cycle_s
    return tuple(count(keys, (times * 1e6).astype(np.int64) // w.step_us) for w in plan.windows)


def cost_of(
    plan: Plan, truth: Truth, workload: Workload, setting: Setting, *, rate: float = 20_000.0, gap_s: float = 0.02
) -> float:
    """True CPU seconds a million records of a setting, over eight flushes."""
    dice = np.random.default_rng(1)
    total, records, cycle_s = 0.0, 0, setting.flush_s + gap_s
    for i in range(8):
        n = round(rate * cycle_s)
        counted = flush_of(plan, dice, workload, n, 7.3 * i, cycle_s)
        total, records = total + truth.flush(counted, setting), records + n
    return total / records / US


def best_of(plan: Plan, truth: Truth, workload: Workload, intervals: tuple[float, ...], **more: float) -> float:
    """The cheapest of all rows and all partials at the best of these intervals."""
    settings = [Setting((r,) * len(plan.windows), s) for r, s in product(ROUTES, intervals)]
    return min(cost_of(plan, truth, workload, s, **more) for s in settings)
