"""A pipeline on Kafka: everything a worker needs, put together and taken apart again."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from lepton_stream import clock
from lepton_stream.autopilot.setting import Codec, Setting
from lepton_stream.chunk import SourcePartition
from lepton_stream.core import Job, Route
from lepton_stream.errors import BrokerError, IntegrityError, UsageError
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.pipeline.names import Names, names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.protocol.metadata import Pointer
from lepton_stream.protocol.stored import Totals, stored_totals
from lepton_stream.runtime.kafka.admin import Admin
from lepton_stream.runtime.kafka.broker_time import BrokerTime
from lepton_stream.runtime.kafka.committer import Committer
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.deciding import Deciding
from lepton_stream.runtime.kafka.fenced import supports_fencing
from lepton_stream.runtime.kafka.group import Group
from lepton_stream.runtime.kafka.limits import Limits
from lepton_stream.runtime.kafka.linger import flush_s_for
from lepton_stream.runtime.kafka.logs import Logs
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.produce import Producer
from lepton_stream.runtime.kafka.provision import apply
from lepton_stream.runtime.kafka.view import View
from lepton_stream.runtime.kafka.wire import Wire
from lepton_stream.runtime.pseudonym_secret import secret_for
from lepton_stream.runtime.stopwatch import Stopwatch

DECISION_S = 10.0
"""After so long a decision that the broker has not acknowledged waits for the next one."""


async def _partitions(connection: Connection, plan: Plan, named: Names, called: str) -> tuple[int, int, bool]:
    """How many source and shuffle partitions there are, and whether decisions have a topic.

    Raises UsageError, IntegrityError where they do not fit.
    """
    topics = (named.source, named.shuffle, named.state, named.results, named.late, named.dead_letters)
    async with Admin(connection) as admin:
        found = await admin.found(topics)  # asks in a way that creates nothing
        try:
            decided = bool(await admin.found([named.decisions]))
        except BrokerError:  # a cluster that does not let us look there: a run needs it not
            decided = False
    counts = {topic: one.partitions for topic, one in found.items()}
    missing = [topic for topic in topics if topic not in counts]
    if missing:
        raise UsageError(
            f"{plan.name}: the topics {', '.join(missing)} do not exist; "
            f"create them with: lepton-stream topics apply {called}"
        )
    for topic in (named.state, named.results):
        if counts[topic] != counts[named.shuffle]:
            raise IntegrityError(
                f"{topic} has {counts[topic]} partitions, {named.shuffle} has {counts[named.shuffle]}: they must have "
                "as many, and as many as at the start; give the plan a new `version`, which has topics of its own"
            )
    return counts[named.source], counts[named.shuffle], decided


def _deciding(connection: Connection, named: Names, worker: str, *, decided: bool) -> Deciding:
    make = partial(Producer, connection, timeout=DECISION_S) if decided else None
    return Deciding(make, named.decisions, worker)


@asynccontextmanager
async def opened(
    plan: Plan,
    connection: Connection,
    *,
    route: Route = "partials",
    flush_s: float | None = None,
    codec: Codec = "lz4",
    limits: Limits | None = None,
    watch: Stopwatch | None = None,
    called: str = "PIPELINE",
    pseudonyms: bytes | None = None,
    worker: str = "",
) -> AsyncIterator[Outside]:
    """Connect and look at the cluster. Raises BrokerError, UsageError, IntegrityError.

    `route`, `flush_s`, `codec`: the setting that the work begins with, see `Setting`; `flush_s` None: by the plan.
    `called`: how the command line names the pipeline, for messages that name a command. `pseudonyms`: their secret;
    None: that of the environment, where the plan has any. `worker`: by which name its decisions are told.
    """
    limits, named = limits or Limits(), names(plan)
    pseudonyms = pseudonyms or secret_for(plan, os.environ)
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(Wire(connection))
        sources, shuffles, decided = await _partitions(connection, plan, named, called)
        lap = {"lap": watch.lap} if watch else {}
        secret = secrets.token_bytes(16)
        decoder = JsonDecoder(plan.source, plan.fields)
        job = Job(plan, decoder, secret, partitions=shuffles, route=route, pseudonyms=pseudonyms, **lap)
        group, logs = Group(wire, named.group), Logs(wire, committed_only=True)
        source = [SourcePartition(named.source, s) for s in range(sources)]
        shuffle = [SourcePartition(named.shuffle, p) for p in range(shuffles)]
        keeps = await group.keeps_metadata(source[0])
        committer = Committer(wire, named.group)
        stack.push_async_callback(committer.close)
        deciding = _deciding(connection, named, worker, decided=decided)
        stack.push_async_callback(deciding.close)
        yield Outside(
            connection=connection,
            job=job,
            names=named,
            wire=wire,
            group=group,
            logs=logs,
            view=View(plan, group, logs, source, shuffle, limits),
            committer=committer,
            producer=await stack.enter_async_context(Producer(connection)),
            limits=limits,
            keeps_metadata=keeps,
            fencing=await supports_fencing(wire, named.group),
            deciding=deciding,
            # the embedded broker tells no append times; it lives on this machine, by this clock
            time=BrokerTime(clock.elapsed_s, None if keeps else clock.now_us),
            setting=Setting(job.routes, flush_s_for(plan) if flush_s is None else flush_s, codec),
        )


async def prepared_topics(plan: Plan, connection: Connection) -> None:
    """Create what the pipeline's contracts ask for: on a development broker nobody else does."""
    async with Admin(connection) as admin:
        await apply(plan, admin)


async def totals(outside: Outside) -> Totals:
    """The durable account since the pipeline's first record."""
    pointers = await _pointers(outside)
    while True:
        try:
            return await stored_totals(outside.job, pointers, outside.read_state)
        except IntegrityError:  # other workers go on, and trim what their next checkpoints replace
            before, pointers = pointers, await _pointers(outside)
            if pointers == before:
                raise


async def _pointers(outside: Outside) -> dict[int, Pointer]:
    seen = await outside.view.look()
    return {tp.partition: seen.pointer(tp) or Pointer(outside.job.plan_hash) for tp in outside.view.shuffle}
