"""`lepton-stream run` on a broker: one worker in this process, or several as processes of their own."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from lepton_stream import clock
from lepton_stream._version import __version__
from lepton_stream.account import Account
from lepton_stream.agents import declare
from lepton_stream.cli.asked import Asked
from lepton_stream.cli.destinations import write_stats, writing
from lepton_stream.cli.observing import served, telling_parent
from lepton_stream.cli.progress_kafka import progress, start_line
from lepton_stream.cli.totals import print_account
from lepton_stream.compiled import loader
from lepton_stream.errors import LeptonError, UsageError
from lepton_stream.formats.results_out import open_output
from lepton_stream.protocol.stored import Totals
from lepton_stream.runtime.allocator import keep_freed_memory
from lepton_stream.runtime.inputs import open_inputs
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.crew_telling import CrewTelling
from lepton_stream.runtime.kafka.embedded import embedded
from lepton_stream.runtime.kafka.feed import Fed, Feed, waves
from lepton_stream.runtime.kafka.newest import events as events_of
from lepton_stream.runtime.kafka.newest import newest
from lepton_stream.runtime.kafka.outlast import outlast
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.preflight import refuse_misfit
from lepton_stream.runtime.kafka.produce import Producer
from lepton_stream.runtime.kafka.schedule import AtOnce
from lepton_stream.runtime.kafka.service import opened, prepared_topics, totals
from lepton_stream.runtime.kafka.steps import OTHER
from lepton_stream.runtime.kafka.telling import Telling
from lepton_stream.runtime.kafka.timing import timing_of
from lepton_stream.runtime.kafka.worker import Settings, Worker
from lepton_stream.runtime.kafka.workers import Crew
from lepton_stream.runtime.stopwatch import Stopwatch
from lepton_stream.telemetry.catalogue import BYTES_SENT, PREPARED, SAID, STAGE_CPU, WORKER_STARTED
from lepton_stream.telemetry.cost import Cost
from lepton_stream.telemetry.facts import tell
from lepton_stream.telemetry.logs import keep_secret, log_is_json
from lepton_stream.telemetry.meter import Samples
from lepton_stream.telemetry.pipe import Sender
from lepton_stream.telemetry.server import MetricsServer
from lepton_stream.telemetry.tally import Tally


def run_on_kafka(asked: Asked) -> int:
    """Run until the end, a signal or an error."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it tells of is everyday, or ends us with an error
    keep_secret(asked.connection.password if asked.connection else "")
    return asyncio.run(_run(asked))


def _spare_the_collector() -> None:
    """Records come by the hundred thousand and make no cycles: looking for some took a quarter of the CPU time."""
    gc.freeze()
    gc.set_threshold(200_000, 50, 50)


async def _run(asked: Asked) -> int:
    _spare_the_collector()
    keep_freed_memory(asked.memory.bytes // 8)
    stop, signals = asyncio.Event(), list[int]()

    def on_signal(number: int) -> None:
        signals.append(number)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    async with AsyncExitStack() as stack:
        server = stack.enter_context(served(asked.observing, asked.plan.name, asked.workers))
        connection = asked.connection
        if connection is None:
            connection = await stack.enter_async_context(embedded())
            _say(asked, f"embedded broker at {connection.bootstrap}, in memory only")
            await prepared_topics(asked.plan, connection)
        watch = Stopwatch(clock.thread_cpu_s)
        service = partial(opened, asked.plan, connection, route=asked.route, watch=watch, called=asked.pipeline)
        service = partial(service, worker=asked.called, flush_s=asked.tuning.flush_s)
        outside = await stack.enter_async_context(service())
        _tell_limits(asked, outside)
        began = clock.elapsed_s()
        if asked.inputs:
            await _feed(asked, connection, outside)
        if asked.worker is None:
            await refuse_misfit(outside)
        if server is not None:
            _say(asked, f"metrics at {server.url}")
        tally = _tally(asked, server)
        if asked.worker is None:
            await outside.view.look()
            _say(asked, f"memory: {asked.memory}")
            _say(asked, start_line(outside, asked.workers, to_the_end=asked.run is not None))
            shown = asked.run is not None and not asked.quiet and not log_is_json()
            await stack.enter_async_context(progress(outside, shown=shown))
        if asked.workers == 1 or asked.worker is not None:
            sender = stack.enter_context(telling_parent(asked.observing.tell_fd))
            stored = await _work_alone(asked, outside, service, stop, _telling(asked, sender, tally, watch))
        else:
            stored = await _work_as_crew(asked, connection, outside, stop, tally)
        if asked.worker is None:
            await _close(asked, outside, stored, clock.elapsed_s() - began, watch, tally)
    return 128 + signals[0] if signals and asked.worker is None else 0


def _telling(asked: Asked, sender: Sender | None, tally: Tally | None, watch: Stopwatch) -> Telling | None:
    """To whom this worker tells how it is: to its parent, or to the server of this process."""
    number = asked.worker or 0
    if sender is not None:
        return Telling(sender.send, watch.stages, number)
    return None if tally is None else Telling(partial(tally.hear, number), watch.stages, number)


async def _work(asked: Asked, outside: Outside, stop: asyncio.Event, telling: Telling | None) -> Totals:
    """Run one worker in this process; the account of what is durable then."""
    settings = Settings(
        asked.run,
        asked.instance,
        timing_of(os.environ),
        telling=telling,
        memory=asked.memory,
        autopilot=asked.tuning.autopilot,
        placement=asked.tuning.placement,
        called=asked.called,
        prices=asked.observing.prices,
    )
    worker = Worker(outside, settings, declare)
    loading = loader.start(partial(_say, asked))
    if loader.wished():
        await asyncio.to_thread(loading.join)
    tell(WORKER_STARTED, version=__version__, plan=outside.job.plan_hash, group=outside.names.group)
    await worker.run(stop)
    if asked.worker is not None:
        return Totals()  # the crew's parent tells
    return await totals(outside) if outside.keeps_metadata else worker.totals()


async def _work_alone(
    asked: Asked,
    outside: Outside,
    service: Callable[[], AbstractAsyncContextManager[Outside]],
    stop: asyncio.Event,
    telling: Telling | None,
) -> Totals:
    """One worker in this process, which begins again where nobody else would start it again."""
    work = partial(_work, asked, stop=stop, telling=telling)

    async def again() -> Totals:
        async with service() as anew:
            anew.meter = outside.meter  # what this process has counted goes on
            return await work(anew)

    if asked.worker is None and asked.run is None:
        return await outlast(lambda: work(outside), again, stop, partial(_say, asked))
    return await work(outside)  # a run with an end tells at once what hinders it


async def _work_as_crew(
    asked: Asked, connection: Connection, outside: Outside, stop: asyncio.Event, tally: Tally | None
) -> Totals:
    """Run several workers, each in a process of its own; the account of what is durable then."""
    if not outside.keeps_metadata:
        raise UsageError("--workers: this broker keeps no commit metadata, which several workers need; use one")
    command = ["run", asked.pipeline, "--broker", connection.bootstrap, "--route", asked.route]
    command += [*asked.options, *(["--until-end", "--run-id", asked.run] if asked.run else [])]
    command += ["--static-id", asked.static_id] if asked.static_id else []
    command += ["--memory", f"{asked.memory.bytes}B", "--autopilot", asked.tuning.autopilot]
    flush_s = asked.tuning.flush_s
    command += [] if flush_s is None else ["--flush-interval", f"{round(flush_s * 1e6)}us"]
    command += ["--placement", asked.tuning.placement]
    command += ["--log-format", asked.observing.log_format.value]
    await outside.view.begin_run()
    telling = CrewTelling(outside, tally) if tally else None
    watching = [asyncio.create_task(telling.watch())] if telling else []
    try:
        await Crew(asked.workers, command, lambda text: _say(asked, text), telling).run(stop)
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    await outside.view.look()
    if asked.run is not None and not stop.is_set() and not outside.view.ended:
        raise LeptonError("the workers left before the end was reached: a defect; what is committed stands, run again")
    return await totals(outside)


def _tell_limits(asked: Asked, outside: Outside) -> None:
    if not outside.keeps_metadata and asked.worker is None:
        _say(asked, "this broker keeps no commit metadata: after a crash records may be counted twice")
    if asked.tuning.autopilot != "off" and not outside.deciding.kept and asked.worker is None:
        remedy = f"lepton-stream topics apply {asked.pipeline}"
        _say(asked, f"{outside.names.decisions} does not exist: decisions are only logged; create it with: {remedy}")


async def _feed(asked: Asked, connection: Connection, outside: Outside) -> None:
    """Send the inputs into the source topic, merged by event time."""
    inputs = open_inputs([Path(i) for i in asked.inputs], asked.plan, clock.now_us(), sys.stdin.buffer)
    partitions = len(outside.view.sources)
    fed = Fed()
    try:
        async with Producer(connection) as producer:
            sending = Feed(outside.names.source, producer, AtOnce(), asyncio.sleep, lambda _: None)
            await sending.send(waves(inputs, asked.plan, partitions), fed)
    finally:
        for one in inputs:
            one.close()
    _say(asked, f"fed {fed.records:,} records into {outside.names.source}")


async def _close(
    asked: Asked, outside: Outside, stored: Totals, seconds: float, watch: Stopwatch, tally: Tally | None
) -> None:
    """The newest results, the events, and the durable account for people and for `--stats`."""
    outside.job.lap(OTHER)
    if asked.output is not None:
        _write("--output", asked.output, await newest(outside))
    if asked.events is not None:
        _write("--events", asked.events, await events_of(outside))
    children, own = resource.getrusage(resource.RUSAGE_CHILDREN), clock.cpu_s()
    cpu_seconds = own + children.ru_utime + children.ru_stime
    counted = tally.whole().counters if tally and asked.workers > 1 else outside.meter.counters()
    cost = _cost(asked, counted, cpu_seconds)
    stats = _stats(outside, stored)
    stats |= {"seconds": round(seconds, 6), "cpu_seconds": round(cpu_seconds, 6), "cost": cost.to_dict()}
    if outside.first_chunk_s is not None and outside.last_result_s is not None:
        stats["busy_seconds"] = round(outside.last_result_s - outside.first_chunk_s, 6)
        stats["busy_cpu_seconds"] = round(outside.last_result_cpu_s - outside.first_chunk_cpu_s, 6)
    stats["path"] = loader.path()
    stages = watch.stages
    if asked.workers > 1:
        stages = {stage: s for (stage,), s in counted.get(STAGE_CPU.name, {}).items()}
    stats["stages"] = {stage: round(s, 6) for stage, s in stages.items()}
    if asked.stats is not None:
        write_stats(asked.stats, stats)
    if not asked.quiet:
        events = stored.events if asked.plan.in_order else None
        print_account(asked.plan.name, Account.total(stored.accounts.values()), stored.results, seconds, cost, events)


def _write(option: str, to: str, rows: Sequence[dict[str, Any]]) -> None:
    with writing(f"{option} {to}"), open_output(to, sys.stdout.buffer) as out:
        out.write(rows)


def _tally(asked: Asked, server: MetricsServer | None) -> Tally | None:
    """Who hears the workers. Those of a crew are always heard: what they have counted is told at the end."""
    if server is None and asked.worker is None and asked.workers > 1:
        return Tally(clock.elapsed_s, range(asked.workers))
    return server.tally if server else None


def _cost(asked: Asked, counted: Samples, cpu_seconds: float) -> Cost:
    """Of this run. `counted`: a crew's by what its workers told last, else by what this process has counted."""
    records, sent = (sum(counted.get(metric.name, {}).values()) for metric in (PREPARED, BYTES_SENT))
    return Cost(int(records), cpu_seconds, int(sent), asked.observing.prices)


def _stats(outside: Outside, stored: Totals) -> dict[str, Any]:
    named = {f"{outside.names.source}[{s}]": a.to_dict() for s, a in sorted(stored.accounts.items())}
    events = {"events": stored.events} if outside.job.plan.in_order else {}
    total = Account.total(stored.accounts.values()).to_dict()
    return {**total, "results": stored.results, **events, "sources": named}


def _say(asked: Asked, text: str) -> None:
    if log_is_json():
        tell(SAID, text=text)
    elif not asked.quiet:
        print(f"{asked.plan.name}: {text}", file=sys.stderr)
