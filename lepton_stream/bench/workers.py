"""How speed grows with workers, each held to a fixed share of a core: what is shared between them would show."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from lepton_stream import clock
from lepton_stream.bench.cores import cores, pin
from lepton_stream.bench.kafka import Through
from lepton_stream.bench.quota import held
from lepton_stream.bench.service import Service, serving
from lepton_stream.bench.shape import Shape, pipeline
from lepton_stream.bench.spread import Spread
from lepton_stream.bench.stock import prepared
from lepton_stream.errors import IntegrityError, LeptonError

QUOTA = 0.2
LOOK_S = 0.2
MOST_S = 300.0
SESSION = "LEPTON__KAFKA__SESSION_SECONDS"


def workers(through: Through, counts: Sequence[int], records: int, runs: int) -> dict[str, Any]:
    """Events a second by number of workers, `records` events for each of them. Raises IntegrityError."""
    rows = []
    for count in counts:
        done = []
        for number in range(1, runs + 1):
            through.tell(f"scale: {count} workers at {QUOTA:.0%} of a core each, run {number} of {runs}")
            done.append(asyncio.run(_speed(through, count, records * count)))
        speeds = Spread.of([speed for speed, _ in done])
        rows.append(
            {"workers": count, "events_per_second": speeds.plain(), "events": records * count, "means": done[0][1]}
        )
    return {"quota": QUOTA, "rows": rows}


async def _speed(through: Through, count: int, records: int) -> tuple[float, str]:
    """Events a second, and how workers were held.

    The workers join while the topic is empty, and are then stopped until it is full: all begin at the same moment. What
    is told once a second makes a speed up to a second too low, alike for any number of workers.
    """
    shape = Shape(records)
    stock, topic = prepared(shape, through.tell, through.kept), f"bench-workers-{os.getpid()}-{next(through.versions)}"
    plan = through.folder / f"{topic}.toml"
    plan.write_text(pipeline(shape, name=topic), encoding="utf-8")
    beside = through.beside()
    await asyncio.to_thread(beside.run, "topics", "apply", plan, "--broker", through.address)
    command = through.measured(more={SESSION: "35"})
    async with serving(
        command, plan, through.address, through.folder / f"{topic}.log", "--workers", str(count)
    ) as service:
        pids = service.workers()
        if len(pids) != count:
            raise LeptonError(f"bench: {len(pids)} workers run where {count} should")
        if count > 1:
            pin(service.process.pid, cores()[0])  # the parent only watches; its workers stay on the other core
            for pid in pids:
                pin(pid, cores()[1])
        with ExitStack() as stack:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
                stack.callback(_continue, pid)
            await asyncio.to_thread(
                beside.run, "feed", plan, "--broker", through.address, "--input", stock.path, "--quiet"
            )
            means = stack.enter_context(held(pids, QUOTA))
            began = clock.elapsed_s()
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
            await _read_all(service, records)
            seconds = clock.elapsed_s() - began
    return records / seconds, means


def _continue(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return


async def _read_all(service: Service, records: int) -> None:
    """Return when the service's own account says that its checkpoints hold all of them; it tells once a second."""
    deadline = clock.elapsed_s() + MOST_S
    while (read := await asyncio.to_thread(service.records_read)) < records:
        service.refuse_ended()
        if clock.elapsed_s() > deadline:
            raise LeptonError(f"bench: {read:,.0f} of {records:,} records were read in {MOST_S:.0f} s")
        await asyncio.sleep(LOOK_S)
    if read > records:
        raise IntegrityError(f"bench: {read:,.0f} records were read of {records:,}")
