"""`lepton-stream run` on a broker: one worker in this process, or several as processes of their own."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from lepton_stream import clock
from lepton_stream.account import Account
from lepton_stream.agents import declare
from lepton_stream.cli.asked import Asked
from lepton_stream.cli.destinations import write_stats, writing
from lepton_stream.cli.totals import print_account
from lepton_stream.errors import LeptonError, UsageError
from lepton_stream.formats.results_out import open_output
from lepton_stream.protocol.stored import Totals
from lepton_stream.runtime.inputs import open_inputs
from lepton_stream.runtime.kafka.bulk import BulkProducer
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.embedded import embedded
from lepton_stream.runtime.kafka.feed import Fed, Feed, waves
from lepton_stream.runtime.kafka.newest import newest
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.preflight import refuse_misfit
from lepton_stream.runtime.kafka.schedule import AtOnce
from lepton_stream.runtime.kafka.service import opened, prepared_topics, totals
from lepton_stream.runtime.kafka.timing import timing_of
from lepton_stream.runtime.kafka.worker import Settings, Worker
from lepton_stream.runtime.kafka.workers import Crew
from lepton_stream.runtime.stopwatch import Stopwatch


def run_on_kafka(asked: Asked) -> int:
    """Run until the end, a signal or an error."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it tells of is everyday, or ends us with an error
    return asyncio.run(_run(asked))


def _spare_the_collector() -> None:
    """Records come by the hundred thousand and make no cycles: looking for some took a quarter of the CPU time."""
    gc.freeze()
    gc.set_threshold(200_000, 50, 50)


async def _run(asked: Asked) -> int:
    _spare_the_collector()
    stop, signals = asyncio.Event(), list[int]()

    def on_signal(number: int) -> None:
        signals.append(number)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    async with AsyncExitStack() as stack:
        connection = asked.connection
        if connection is None:
            connection = await stack.enter_async_context(embedded())
            _say(asked, f"embedded broker at {connection.bootstrap}, in memory only")
            await prepared_topics(asked.plan, connection)
        watch = Stopwatch(clock.cpu_s)
        outside = await stack.enter_async_context(opened(asked.plan, connection, route=asked.route, watch=watch))
        _tell_limits(asked, outside)
        began = clock.elapsed_s()
        if asked.inputs:
            await _feed(asked, connection, outside)
        stored = await _work(asked, connection, outside, stop)
        if asked.worker is None:
            await _close(asked, outside, stored, clock.elapsed_s() - began, watch)
    return 128 + signals[0] if signals and asked.worker is None else 0


async def _work(asked: Asked, connection: Connection, outside: Outside, stop: asyncio.Event) -> Totals:
    """Run; the account of what is durable then."""
    if asked.worker is None:
        await refuse_misfit(outside)
    if asked.workers == 1 or asked.worker is not None:
        instance = f"{asked.static_id}-{asked.worker or 0}" if asked.static_id else None
        worker = Worker(outside, Settings(asked.run, instance, timing_of(os.environ)), declare)
        await worker.run(stop)
        if asked.worker is not None:
            return Totals()  # the crew's parent tells
        return await totals(outside) if outside.keeps_metadata else worker.totals()
    if not outside.keeps_metadata:
        raise UsageError("--workers: this broker keeps no commit metadata, which several workers need; use one")
    command = ["run", asked.pipeline, "--broker", connection.bootstrap, "--route", asked.route]
    command += [*asked.options, *(["--until-end", "--run-id", asked.run] if asked.run else [])]
    command += ["--static-id", asked.static_id] if asked.static_id else []
    await outside.view.begin_run()
    await Crew(asked.workers, command, lambda text: _say(asked, text)).run(stop)
    await outside.view.look()
    if asked.run is not None and not stop.is_set() and not outside.view.ended:
        raise LeptonError("the workers left before the end was reached: a defect; what is committed stands, run again")
    return await totals(outside)


def _tell_limits(asked: Asked, outside: Outside) -> None:
    if not outside.keeps_metadata and asked.worker is None:
        _say(asked, "this broker keeps no commit metadata: after a crash records may be counted twice")


async def _feed(asked: Asked, connection: Connection, outside: Outside) -> None:
    """Send the inputs into the source topic, merged by event time."""
    inputs = open_inputs([Path(i) for i in asked.inputs], asked.plan, clock.now_us(), sys.stdin.buffer)
    partitions = len(outside.view.sources)
    fed = Fed()
    try:
        async with BulkProducer(connection) as producer:
            sending = Feed(outside.names.source, producer, AtOnce(), asyncio.sleep, lambda _: None)
            await sending.send(waves(inputs, asked.plan, partitions), fed)
    finally:
        for one in inputs:
            one.close()
    _say(asked, f"fed {fed.records:,} records into {outside.names.source}")


async def _close(asked: Asked, outside: Outside, stored: Totals, seconds: float, watch: Stopwatch) -> None:
    """The newest results, and the durable account for people and for `--stats`."""
    if asked.output is not None:
        rows = await newest(outside)
        with writing(f"--output {asked.output}"), open_output(asked.output, sys.stdout.buffer) as out:
            out.write(rows)
    children, own = resource.getrusage(resource.RUSAGE_CHILDREN), clock.cpu_s()
    stats = _stats(outside, stored)
    stats |= {"seconds": round(seconds, 6), "cpu_seconds": round(own + children.ru_utime + children.ru_stime, 6)}
    if outside.first_chunk_s is not None and outside.last_result_s is not None:
        stats["busy_seconds"] = round(outside.last_result_s - outside.first_chunk_s, 6)
    stats["stages"] = {stage: round(s, 6) for stage, s in watch.stages.items()}
    if asked.stats is not None:
        write_stats(asked.stats, stats)
    if not asked.quiet:
        print_account(asked.plan.name, Account.total(stored.accounts.values()), stored.results, seconds)


def _stats(outside: Outside, stored: Totals) -> dict[str, Any]:
    named = {f"{outside.names.source}[{s}]": a.to_dict() for s, a in sorted(stored.accounts.items())}
    return {**Account.total(stored.accounts.values()).to_dict(), "results": stored.results, "sources": named}


def _say(asked: Asked, text: str) -> None:
    if not asked.quiet:
        print(f"{asked.plan.name}: {text}", file=sys.stderr)
