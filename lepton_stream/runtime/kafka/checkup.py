"""Gathers what `lepton-stream doctor` judges of a cluster and of a pipeline on it. Changes nothing that stays."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass

from lepton_stream import clock
from lepton_stream.chunk import SourcePartition
from lepton_stream.cleaning.pseudonyms import Pseudonyms
from lepton_stream.doctor.broker import Broker, Probes, judge_broker
from lepton_stream.doctor.finding import Finding, of_error, ok, unknown
from lepton_stream.doctor.group import Commits, Place, judge_commits
from lepton_stream.doctor.topic import Log, SourceTopic, judge_source, judge_steps
from lepton_stream.errors import LeptonError, UsageError
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.plan_hash import plan_hash
from lepton_stream.runtime.kafka.admin import Admin
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.group import Group
from lepton_stream.runtime.kafka.logs import Logs
from lepton_stream.runtime.kafka.preflight import refuse_misfit
from lepton_stream.runtime.kafka.probes import PREFIX, Prober
from lepton_stream.runtime.kafka.provision import survey
from lepton_stream.runtime.kafka.reader import read_range
from lepton_stream.runtime.kafka.service import opened
from lepton_stream.runtime.kafka.wire import Wire
from lepton_stream.runtime.pseudonym_secret import secret_for
from lepton_stream.topics.difference import Found

OFFSETS = "__consumer_offsets"


@dataclass(frozen=True, slots=True)
class Asked:
    """`pipeline`: how the user named the plan, for remedies. `session_s`: our session timeout."""

    connection: Connection
    session_s: float
    plan: Plan | None = None
    pipeline: str = ""


async def check(asked: Asked) -> list[Finding]:
    """All findings that need a broker; one that cannot be reached is a finding too."""
    try:
        async with Admin(asked.connection) as admin, Wire(asked.connection, patience=20.0) as wire:
            group = names(asked.plan).group if asked.plan else PREFIX
            probes = await Prober(asked.connection, admin, wire, group).look()
            findings = judge_broker(await broker(asked, admin, probes))
            if asked.plan is not None:
                keeps = probes.keeps_metadata is not False
                findings += await pipeline(asked, asked.plan, admin, wire, keeps_metadata=keeps)
            return findings
    except LeptonError as error:
        rest = "the broker could not be asked"
        return [of_error("broker", error), unknown("everything else", rest, "mend that first, then look again")]


async def broker(asked: Asked, admin: Admin, probes: Probes) -> Broker:
    """What the cluster tells of itself. Raises BrokerError."""
    nodes = await admin.nodes()
    offsets = (await admin.found([OFFSETS])).get(OFFSETS)
    return Broker(
        address=asked.connection.bootstrap,
        brokers=len(nodes),
        apis=await admin.apis(),
        settings=await admin.broker_settings(min(nodes)),
        offsets_copies=offsets.replication if offsets and offsets.partitions else None,
        probes=probes,
        session_s=asked.session_s,
    )


async def pipeline(asked: Asked, plan: Plan, admin: Admin, wire: Wire, *, keeps_metadata: bool) -> list[Finding]:
    """Topics, source and commits of a pipeline. Raises BrokerError."""
    named = names(plan)
    seen = await survey(plan, admin)
    findings = judge_steps(seen.steps, asked.pipeline, len(seen.contracts))
    found = await admin.found([named.source, named.shuffle, named.state])
    logs = Logs(wire, committed_only=True)
    remedy = f"create the topics first: lepton-stream topics apply {asked.pipeline}"
    if named.source in found:
        source = await source_topic(asked.connection, found[named.source], logs)
        findings += judge_source(source, plan.dedup_memory if plan.source.id is not None else None)
    else:
        findings.append(unknown(f"source {named.source}", "it does not exist", remedy))
    if not keeps_metadata:
        findings.append(unknown("commits", "this broker keeps no commit metadata", "none is needed for development"))
    elif len(found) < 3:
        findings.append(unknown("commits", "topics are missing", remedy))
    else:
        findings += judge_commits(await commits(plan, found, Group(wire, named.group), logs))
    return [*findings, *(await start(asked.connection, plan, findings))]


async def source_topic(connection: Connection, found: Found, logs: Logs) -> SourceTopic:
    """The source with the oldest record of each of its partitions. Raises BrokerError."""
    tps = [SourcePartition(found.name, p) for p in range(found.partitions)]
    starts, ends = await logs.starts(tps), await logs.ends(tps)
    oldest = await asyncio.gather(*(oldest_ms(connection, tp, starts[tp], ends[tp]) for tp in tps))
    seen = [Log(starts[tp], ends[tp], ms) for tp, ms in zip(tps, oldest, strict=True)]
    return SourceTopic(found.name, found.replication, found.config, seen, clock.now_us() // 1000)


async def oldest_ms(connection: Connection, tp: SourcePartition, start: int, end: int) -> int | None:
    """The lowest timestamp (ms) among the first records of a partition, None if it is empty or cannot be read."""
    try:
        async for chunk in read_range(connection, tp, start, min(start + 1, end), patience=5.0):
            if len(chunk):
                return int(chunk.timestamp.min()) // 1000
    except LeptonError:
        return None  # retention may have deleted it between two looks; what a run refuses is told by `start`
    return None


async def commits(plan: Plan, found: Mapping[str, Found], group: Group, logs: Logs) -> Commits:
    """What the group has committed, held beside the logs. Raises BrokerError."""
    named = names(plan)
    sources = [SourcePartition(named.source, p) for p in range(found[named.source].partitions)]
    shuffle = [SourcePartition(named.shuffle, p) for p in range(found[named.shuffle].partitions)]
    state = [SourcePartition(named.state, p) for p in range(found[named.state].partitions)]
    starts = await logs.starts([*sources, *shuffle])
    committed = await group.committed([*sources, *shuffle])
    ends = await logs.ends([*sources, *shuffle, *state])
    places = []
    for tp in (*sources, *shuffle):
        has = committed[tp]
        kept = None if tp in sources else ends.get(SourcePartition(named.state, tp.partition), 0)
        offset, metadata = (has.offset, has.metadata) if has else (None, None)
        places.append(Place(tp.topic, tp.partition, offset, metadata, starts[tp], ends[tp], kept))
    return Commits(group.name, not await group.is_empty(), _hash_of(plan), places)


def _hash_of(plan: Plan) -> str:
    """As the jobs of a run have it; without the secret of its pseudonyms, `start` tells what is missing."""
    try:
        secret = secret_for(plan, os.environ)
    except UsageError:
        secret = None
    return plan_hash(plan, "" if secret is None else Pseudonyms(secret).tag)


async def start(connection: Connection, plan: Plan, told: list[Finding]) -> list[Finding]:
    """What a run would refuse now, in its own words, unless it was told already."""
    if any(f.level == "fail" for f in told):
        return []
    try:
        async with opened(plan, connection) as outside:
            await refuse_misfit(outside)
    except LeptonError as error:
        return [of_error("start", error)]
    return [ok("start", "a run would start now")]
