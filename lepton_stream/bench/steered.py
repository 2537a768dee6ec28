"""A worker that goes about its work in one way, or as the autopilot decides, under a paced stream."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lepton_stream import clock
from lepton_stream.autopilot.record import Told
from lepton_stream.bench.cores import cores, pin
from lepton_stream.bench.freshness import settled
from lepton_stream.bench.generating import started, told_by
from lepton_stream.bench.kafka import Through
from lepton_stream.bench.lateness import Landed, landed
from lepton_stream.bench.paced_plan import paced_plan
from lepton_stream.bench.received import Received, receive
from lepton_stream.bench.schedule import SECOND_US, Schedule
from lepton_stream.bench.service import Service, serving
from lepton_stream.bench.stream import Mix, Stream, truth_of
from lepton_stream.bench.truth import difference
from lepton_stream.errors import IntegrityError
from lepton_stream.pipeline.toml_front import load
from lepton_stream.runtime.kafka.decided import history

WINDOW_US = SECOND_US
"""Many windows in a short time: what is fresh is judged by window."""
LEAD_S, LEAD_A_MILLION_S = 3.0, 8.0
"""Seconds that a generator may take to start, and those for a million devices: it asks where each of them goes."""
LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Way:
    """A way to go about the work, as options of `run` say it."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is to do: `rate` events a second of these mixes, one after the other, each for `each_s` seconds."""

    rate: float
    each_s: float
    mixes: tuple[Mix, ...]
    objective_s: float

    def stream(self, start_us: int) -> Stream:
        """Its events."""
        first, *more = self.mixes
        then = tuple(Mix(mix.keys, mix.hot, self.each_s * (i + 1)) for i, mix in enumerate(more))
        schedule = Schedule(self.rate, self.each_s * len(self.mixes), start_us)
        return Stream(schedule, first.keys, hot=first.hot, then=then, window_us=WINDOW_US)


@dataclass(frozen=True, slots=True)
class Steered:
    """What was seen of it. `looks`: (seconds since the stream began, CPU seconds of the worker), twice a second.

    `start_ms`: when it began, since 1970. `lag`: records that waited when the stream ended. `behind_s`: 99 of 100
    batches of the generator were less late.
    """

    task: Task
    start_ms: int
    looks: Sequence[tuple[float, float]]
    landed: Landed
    decisions: Sequence[Told]
    lag: float
    behind_s: float

    def cost(self, from_s: float, to_s: float) -> float:
        """CPU seconds a million events that were due in between."""
        used = cpu_at(self.looks, to_s) - cpu_at(self.looks, from_s)
        return used / (self.task.rate * (to_s - from_s)) * 1e6

    @property
    def kept_up(self) -> bool:
        """Whether worker and generator did: else the cost is that of fewer events than were due."""
        return self.lag <= self.task.rate and self.behind_s <= 1.0

    @property
    def moves(self) -> dict[str, int]:
        """Decisions by knob."""
        return dict(sorted(Counter(told.decision.knob for told in self.decisions).items()))


def cpu_at(looks: Sequence[tuple[float, float]], s: float) -> float:
    """CPU seconds used by then, in proportion between two looks."""
    before, after = looks[0], looks[-1]
    for look in looks:
        if look[0] <= s:
            before = look
        if look[0] >= s:
            after = look
            break
    if after[0] <= before[0]:
        return before[1]
    return before[1] + (after[1] - before[1]) * (s - before[0]) / (after[0] - before[0])


def steered(through: Through, task: Task, way: Way) -> Steered:
    """Run it. Raises IntegrityError where a result is wrong."""
    return asyncio.run(_steered(through, task, way))


async def _steered(through: Through, task: Task, way: Way) -> Steered:
    name, plan = await paced_plan(through, "final", window_us=WINDOW_US, objective_ms=round(task.objective_s * 1000))
    got, ready, log = Received(), asyncio.Event(), through.folder / f"{name}.log"
    async with serving(through.measured(), plan, through.address, log, *way.options) as service:
        reading = asyncio.create_task(receive(through.connection, f"lepton.{name}.results", got, ready))
        try:
            await ready.wait()
            await asyncio.to_thread(pin, os.getpid(), cores()[0])
            lead_s = LEAD_S + LEAD_A_MILLION_S * max(mix.keys for mix in task.mixes) / 1e6
            stream = task.stream(clock.now_us() + int(lead_s * SECOND_US))
            looks, lag, behind_s = await _watched(through, service, stream, name)
            wanted = await asyncio.to_thread(truth_of, stream)
            await settled(service, got, len(wanted), reading)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
    decisions = await _decisions(through, plan)
    found = await asyncio.to_thread(landed, got.batches, stream.schedule.start_us)
    if problem := difference(found.figures, wanted):
        raise IntegrityError(f"bench: results of {way.name} differ from the truth: {problem}; a defect, report it")
    return Steered(task, stream.schedule.start_us // 1000, looks, found, decisions, lag, behind_s)


async def _watched(
    through: Through, service: Service, stream: Stream, topic: str
) -> tuple[list[tuple[float, float]], float, float]:
    """Generate all of it, and look: the looks, the lag at the end, how far the generator was behind."""
    process = started(through, stream, topic)
    talking = asyncio.create_task(asyncio.to_thread(told_by, process))
    looks: list[tuple[float, float]] = []
    begin, end = stream.schedule.start_us, stream.schedule.end_us
    try:
        while (now := clock.now_us()) < end:
            service.refuse_ended()
            if now >= begin:
                looks.append(((now - begin) / SECOND_US, service.cpu_seconds()))
            if talking.done():
                talking.result()
            await asyncio.sleep(min(LOOK_S, max(end - clock.now_us(), 0) / SECOND_US))
        looks.append(((clock.now_us() - begin) / SECOND_US, service.cpu_seconds()))
        lag = await asyncio.to_thread(service.sum_of, "lepton_lag_records")
        told = await talking
    finally:
        process.kill()
    behind: Mapping[str, float] = told["behind"]
    return looks, lag, behind.get("p99", 0.0)


async def _decisions(through: Through, plan: Path) -> list[Told]:
    return list((await history(through.connection, load(plan))).all())
