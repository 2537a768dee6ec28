"""The demo on a broker: the real service in one process, with nothing left behind when it ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from rich.console import Console
from rich.live import Live

from lepton_stream import clock
from lepton_stream.account import Account
from lepton_stream.agents import declare
from lepton_stream.cli.demo_screen import Screen
from lepton_stream.cli.observing import Observing, served
from lepton_stream.cli.totals import print_account
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.runtime.inputs import open_inputs
from lepton_stream.runtime.kafka.board import Board
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.embedded import embedded
from lepton_stream.runtime.kafka.feed import Feed, Wave, waves
from lepton_stream.runtime.kafka.produce import Producer
from lepton_stream.runtime.kafka.schedule import Rate
from lepton_stream.runtime.kafka.service import opened, prepared_topics
from lepton_stream.runtime.kafka.tail import Quiet, bounds_of, follow
from lepton_stream.runtime.kafka.telling import Telling
from lepton_stream.runtime.kafka.timing import timing_of
from lepton_stream.runtime.kafka.worker import Settings, Worker
from lepton_stream.runtime.pseudonym_secret import demo_secret
from lepton_stream.runtime.stopwatch import Stopwatch

IDLE_US = 3_000_000
"""The demo waits three seconds for a source that went quiet; a service waits for as long as its plan says."""
LOOK_S = 0.1


def demo_on_broker(plan: Plan, sample: list[str], *, rows: int, seconds: float, keep: bool, metrics: Observing) -> int:
    """Until all that was fed is published; with `keep` until Ctrl-C. The feed takes `seconds`."""
    plan = replace(plan, source=replace(plan.source, idle_timeout_us=min(plan.source.idle_timeout_us, IDLE_US)))
    return asyncio.run(_demo(plan, sample, rows, seconds, metrics, keep=keep))


async def _demo(plan: Plan, sample: list[str], rows: int, seconds: float, metrics: Observing, *, keep: bool) -> int:
    stop, signals = asyncio.Event(), list[int]()

    def on_signal(number: int) -> None:
        signals.append(number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, on_signal, number)
    began, screen = clock.elapsed_s(), Screen(plan.name, rows)
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(embedded())
        await prepared_topics(plan, connection)
        watch, server = Stopwatch(clock.thread_cpu_s), stack.enter_context(served(metrics, plan.name, 1))
        _tell_addresses(screen.console, plan, connection, server.url if server else None)
        outside = await stack.enter_async_context(
            opened(plan, connection, watch=watch, pseudonyms=demo_secret(plan, os.environ))
        )
        telling = Telling(partial(server.tally.hear, 0), watch.stages) if server else None
        worker = Worker(outside, Settings(timing=timing_of(os.environ), telling=telling), declare)
        service = await stack.enter_async_context(_task(worker.run(stop)))
        tail = await stack.enter_async_context(_task(_tail(plan, connection, screen)))
        feeding = _feed(plan, sample, seconds, connection, screen, worker)
        feed = await stack.enter_async_context(_task(feeding))
        with _live(screen, worker):
            while not (stop.is_set() or (feed.done() and _published(worker, screen))):
                _raise_first(service, tail, feed)
                await asyncio.sleep(LOOK_S)
        _close(plan, worker, screen, clock.elapsed_s() - began)
        if keep and not stop.is_set():
            screen.console.print(f"Still running at {connection.bootstrap}: Ctrl-C ends it and its broker.")
            while not stop.is_set():
                _raise_first(service, tail)
                await asyncio.sleep(LOOK_S)
        stop.set()
        await service
    return 128 + signals[0] if signals and not keep else 0


@asynccontextmanager
async def _task(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """A task that is gone at the end of the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _raise_first(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        if task.done():
            task.result()


def _tell_addresses(console: Console, plan: Plan, connection: Connection, metrics: str | None) -> None:
    named = names(plan)
    console.print(f"{plan.name}: a broker in memory at {connection.bootstrap}", highlight=False)
    console.print(f"  events {named.source}, results {named.results}", highlight=False)
    if metrics is not None:
        base = metrics.removesuffix("/metrics")
        console.print(f"  metrics {base}/metrics, probes {base}/live {base}/ready", highlight=False, soft_wrap=True)


def _live(screen: Screen, worker: Worker) -> Any:
    """On a terminal the table that updates; elsewhere only what comes at the end."""
    if not screen.console.is_terminal:
        return nullcontext()
    return Live(
        console=screen.console,
        refresh_per_second=8,
        transient=True,
        get_renderable=lambda: screen.render(Account.total(worker.totals().accounts.values())),
    )


def _waves(plan: Plan, sample: list[str]) -> Iterator[Wave]:
    """The records of the sample, merged by event time."""
    inputs = open_inputs(list(sample), plan, clock.now_us(), None)
    try:
        yield from waves(inputs, plan, plan.topics.partitions)
    finally:
        for one in inputs:
            one.close()


async def _feed(
    plan: Plan, sample: list[str], seconds: float, connection: Connection, screen: Screen, worker: Worker
) -> None:
    """The sample, at the rate at which it takes `seconds`, once there is somebody to watch at work."""
    while not worker.owns:
        await asyncio.sleep(LOOK_S)
    screen.state = "feeding"
    screen.total = sum(len(wave) for wave in _waves(plan, sample))
    async with Producer(connection) as producer:
        rate = Rate(screen.total / seconds)
        sending = Feed(names(plan).source, producer, rate, asyncio.sleep, lambda _: None)
        await sending.send(_waves(plan, sample), screen.fed)
    screen.state = f"fed; the last windows close when the source has been quiet for {IDLE_US // 1_000_000} s"


async def _tail(plan: Plan, connection: Connection, screen: Screen) -> None:
    """What any consumer of the results topic sees."""
    bounds, board = await bounds_of(connection, names(plan).results), Board()
    async for look in follow(connection, bounds.from_start(), Quiet(None, bounds.ends, clock.elapsed_s())):
        for record in look.records:
            row = board.take(record.key, record.value)
            if row is not None:
                screen.put(record.key, row)


def _published(worker: Worker, screen: Screen) -> bool:
    """Whether every record that was fed has been read, and every window is closed and has been seen in the topic."""
    totals = worker.totals()
    read = sum(account.read for account in totals.accounts.values())
    return read >= screen.fed.records and worker.open_cells() == 0 and screen.results >= totals.results


def _close(plan: Plan, worker: Worker, screen: Screen, seconds: float) -> None:
    screen.console.print(screen.tables())
    totals = worker.totals()
    print_account(plan.name, Account.total(totals.accounts.values()), totals.results, seconds)
