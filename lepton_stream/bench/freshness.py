"""How fresh results are at a load: from the event's intended send time to a reader that holds the result."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from lepton_stream import clock
from lepton_stream.bench.cores import cores, pin
from lepton_stream.bench.generating import started, told_by
from lepton_stream.bench.kafka import Through
from lepton_stream.bench.paced_plan import paced_plan
from lepton_stream.bench.received import Received, figures_of, final_freshness, receive, update_freshness
from lepton_stream.bench.schedule import SECOND_US, Schedule
from lepton_stream.bench.service import Service, serving
from lepton_stream.bench.spread import percentiles
from lepton_stream.bench.stream import LATENESS_US, Stream, truth_of
from lepton_stream.bench.truth import difference
from lepton_stream.errors import IntegrityError

WARM_S = 10.0
"""Of each run, left out: tables grow, and the first window began before the stream."""
LEAD_S = 1.0
SETTLE_S = 60.0
"""How long the last windows may take once the stream has ended."""
GROWS_S = 0.3
"""A rate is sustained while results do not age by more than this over the run."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many events a second for so long, after the warm-up; `share`: of the highest sustained rate, if of one."""

    rate: float
    seconds: float
    emit: str
    share: float | None = None

    def stream(self, start_us: int) -> Stream:
        """Its events."""
        return Stream(Schedule(self.rate, WARM_S + self.seconds, start_us))


def at_load(through: Through, load: Load) -> dict[str, Any]:
    """Run a service under the load; figures as plain values. Raises IntegrityError where a result is wrong."""
    return asyncio.run(_at_load(through, load))


async def _at_load(through: Through, load: Load) -> dict[str, Any]:
    name, plan = await paced_plan(through, load.emit)
    got, ready, log = Received(), asyncio.Event(), through.folder / f"{name}.log"
    async with serving(through.measured(), plan, through.address, log) as service:
        reading = asyncio.create_task(receive(through.connection, f"lepton.{name}.results", got, ready))
        try:
            await ready.wait()
            await asyncio.to_thread(pin, os.getpid(), cores()[0])
            stream = load.stream(clock.now_us() + int(LEAD_S * SECOND_US))
            generator, share = await _carried_out(through, service, stream, name)
            wanted = await asyncio.to_thread(truth_of, stream)
            await settled(service, got, len(wanted), reading)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
    rows = got.rows()
    if problem := difference(figures_of(rows), wanted):
        raise IntegrityError(f"bench: results at {load.rate:,.0f} events/s differ from the truth: {problem}")
    return {**judged(load, stream.schedule, rows), "worker_cpu": share, "behind": generator["behind"]}


async def _carried_out(through: Through, service: Service, stream: Stream, topic: str) -> tuple[dict[str, Any], float]:
    """Generate all of it: what the generator says, and the worker's share of a core behind the warm-up."""
    process = started(through, stream, topic)
    talking = asyncio.create_task(asyncio.to_thread(told_by, process))
    try:
        await _until(stream.schedule.start_us + int(WARM_S * SECOND_US))
        before, began = service.cpu_seconds(), clock.elapsed_s()
        await _until(stream.schedule.end_us)
        share = (service.cpu_seconds() - before) / (clock.elapsed_s() - began)
        return await talking, share
    finally:
        process.kill()


async def _until(moment_us: int) -> None:
    await asyncio.sleep(max(moment_us - clock.now_us(), 0) / SECOND_US)


async def settled(service: Service, got: Received, wanted: int, reading: asyncio.Task[None]) -> None:
    """Return when as many final results have come as there are; whether they are right is judged afterwards."""
    deadline = clock.elapsed_s() + SETTLE_S
    while got.finals < wanted and clock.elapsed_s() < deadline:
        service.refuse_ended()
        if reading.done():
            reading.result()
        await asyncio.sleep(0.1)


def judged(load: Load, schedule: Schedule, rows: list[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
    """Percentiles of both kinds of results, with their number; `ages`: how much older results became over the run."""
    begin = schedule.start_us + int(WARM_S * SECOND_US)
    end = schedule.end_us - SECOND_US
    final = final_freshness(rows, begin, end)
    update = update_freshness(rows, begin)
    quarters = [q for q in np.array_split(update if len(update) else final, 4) if len(q)]
    return {
        "share": load.share,
        "rate": load.rate,
        "seconds": load.seconds,
        "emit": load.emit,
        "final": {**percentiles(final), "results": len(final), "windows": _windows(rows, begin, end)}
        if len(final)
        else {},
        "update": {**percentiles(update), "results": len(update)} if len(update) else {},
        "ages": float(np.median(quarters[-1]) - np.median(quarters[0])) if quarters else 0.0,
    }


def _windows(rows: list[tuple[int, dict[str, Any]]], begin_us: int, end_us: int) -> int:
    """How many windows were due in between: the results of one come together, so these are what was sampled."""
    ends = {row["window_end"] * 1000 for _, row in rows if row["final"]}
    return sum(begin_us <= end + LATENESS_US < end_us for end in ends)


def is_sustained(told: dict[str, Any]) -> bool:
    """Whether the results of a run with updates did not age, nor the generator fall behind."""
    return bool(told["ages"] <= GROWS_S and told["behind"].get("p99", 0.0) <= 1.0)
