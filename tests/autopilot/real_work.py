"""What preparing and folding really takes, by route: `python -m tests.autopilot.real_work` prints it.

It is the core at work on chunks of the simulation's workloads, by the thread's CPU clock; no broker.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lepton_stream.autopilot.load import Load, Sums, load_of
from lepton_stream.autopilot.model import CostModel
from lepton_stream.autopilot.seen import FoldSeen, PrepareSeen
from lepton_stream.autopilot.setting import Route, Setting
from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.compiled import loader, switch
from lepton_stream.core import Job, PartitionState, SourceState, fold, prepare
from lepton_stream.core.prepare import clean_ahead
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.pipeline.plan import Plan
from lepton_stream.shuffle.frame import PartialsPart, RowsPart, decode, encode
from tests.autopilot.simulated import NARROW, ROUTES, WIDE, WORKLOADS, Workload, plan_of

SECRET = bytes(16)
RANGE = 4_000
US = 1e-6
NOW_US = 2_000_000_000_000_000


def ranges(workload: Workload, count: int, seed: int) -> Iterator[Chunk]:
    """So many chunks of RANGE records; their event times span three seconds in all."""
    dice = np.random.default_rng(seed)
    for at in range(0, count * RANGE, RANGE):
        keys, values = workload(dice, RANGE).tolist(), dice.normal(20.0, 5.0, RANGE).tolist()
        times = (1_000.0 + (at + np.arange(RANGE)) * 3.0 / (count * RANGE)).tolist()
        texts = [b'{"t":%.4f,"device":"dev-%07d","value":%.3f}' % one for one in zip(times, keys, values, strict=True)]
        offsets = np.arange(at, at + RANGE)
        source = SourcePartition("simulated.v1", 0)
        yield Chunk(source, at, at + RANGE, offsets, Values.from_list(texts), np.full(RANGE, NOW_US))


class Lane:
    """One route of a plan with a single section, from raw records to folded state."""

    def __init__(self, plan: Plan, route: Route) -> None:
        self.route: Route = route
        self._marks: list[tuple[str, float]] = []
        decoder = JsonDecoder(plan.source, plan.fields)
        self.job = Job(plan, decoder, SECRET, partitions=plan.topics.partitions, lap=self._lap)
        self.source = SourceState(self.job)
        self.states = [PartitionState.empty(self.job, {0: 0}) for _ in range(plan.topics.partitions)]

    def _lap(self, stage: str) -> None:
        self._marks.append((stage, time.thread_time()))

    def take(self, chunk: Chunk) -> tuple[PrepareSeen, FoldSeen]:
        """As a worker sees it. Compression is left out: the codec is a knob of its own."""
        cleaned = clean_ahead(self.job, chunk)
        made = prepare(self.job, self.source, chunk, cleaned, routes=(self.route,))
        grouped = next(at for stage, at in reversed(self._marks) if stage == "group")
        frames = [encode(frame) for frame in made.frames]
        encoded = time.thread_time()
        parts = [part for data in frames for _, part in decode(data).parts]
        began = time.thread_time()
        for state, data in zip(self.states, frames, strict=True):
            fold(self.job, state, decode(data))
        folded = time.thread_time()
        self._marks.clear()
        size = sum(map(len, frames))
        rows = sum(len(part) for part in parts if isinstance(part, RowsPart))
        cells = sum(len(part) for part in parts if isinstance(part, PartialsPart))
        prepared = PrepareSeen(len(chunk), made.seen, 0.0, encoded - grouped, 0.0, 0.0, size, size, 0.2)
        return prepared, FoldSeen(len(frames), rows, cells, size, folded - began)


@dataclass(frozen=True, slots=True)
class Measured:
    """CPU microseconds a record of one route, and what it was seen as, one for each range."""

    cost: float
    looks: list[Sums]

    @property
    def load(self) -> Load:
        """Over all of them."""
        found = load_of(self.looks)
        assert found is not None
        return found


def measure(plan: Plan, workload: Workload, route: Route, *, count: int = 12, seed: int = 1) -> Measured:
    """After the first three ranges, in which everything is done for the first time. The cost is a median."""
    lane, looks = Lane(plan, route), []
    for i, chunk in enumerate(ranges(workload, count + 3, seed)):
        prepared, folded = lane.take(chunk)
        if i >= 3:
            sums = Sums.empty(1)
            sums.seconds = 0.2
            sums.prepared(prepared)
            sums.fold(folded)
            looks.append(sums)
    costs = [s.route_cpu_s + s.folded.cpu_s for s in looks]
    return Measured(float(np.median(costs)) / RANGE / US, looks)


def predicted(plan: Plan, seen: list[Measured], load: Load, route: Route) -> float:
    """CPU microseconds a record by the model, of what does not hang on bytes, after it has seen these runs."""
    model = CostModel(plan)
    for looks in zip(*(one.looks for one in seen), strict=True):  # in turns: what was seen last weighs most
        for look in looks:
            model.observe(look, None)
    setting = Setting((route,), codec="none")
    told = model.predict(load, setting, setting)
    return (told.cpu_s - told.codec_s) / US


def main() -> None:
    """One line for each form, workload and route: portable, or compiled with the word `compiled`."""
    if "compiled" in sys.argv[1:]:
        switch.use(loader.functions_now())
    for form, results in (("narrow", NARROW), ("wide", WIDE)):
        plan = plan_of(results)
        for name, workload in WORKLOADS.items():
            found = {route: measure(plan, workload, route) for route in (*ROUTES, "mixed")}
            for route, one in found.items():
                before, after = (predicted(plan, seen, one.load, route) for seen in ([], list(found.values())))
                told = f"by the priors {before:.3f}, fitted {after:.3f}"
                sys.stdout.write(f"{form:7} {name:8} {route:9} measured {one.cost:.3f} us a record, {told}\n")


if __name__ == "__main__":
    main()
