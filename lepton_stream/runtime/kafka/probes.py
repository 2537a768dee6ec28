"""Tries out what a broker does, in a topic and a group of its own that are deleted again.

The one thing that stays is what a run leaves too: the epoch of a probe's producer id, which brokers forget by
themselves (`transactional.id.expiration.ms`, a week).
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from aiokafka.protocol.admin import DeleteGroupsRequest

from lepton_stream import clock
from lepton_stream.chunk import SourcePartition
from lepton_stream.doctor.broker import Probes
from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.admin import Admin
from lepton_stream.runtime.kafka.committer import error_codes
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.fenced import supports_fencing
from lepton_stream.runtime.kafka.group import Group, loading_commit
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.produce import Producer, Record
from lepton_stream.runtime.kafka.protocol import CommitRequest
from lepton_stream.runtime.kafka.wire import Coordinator, Wire
from lepton_stream.topics.contract import Contract

PREFIX = "lepton.doctor"
STRANGER = Identity(7, "nobody")
"""A generation that an empty group never had."""


@dataclass(frozen=True, slots=True)
class Prober:
    """`group`: whose rights and names are tried: the pipeline's, or a name of our own."""

    connection: Connection
    admin: Admin
    wire: Wire
    group: str

    async def look(self) -> Probes:
        """Everything that can be tried; the rest says why not. Raises BrokerError only where deleting fails."""
        fences = await supports_fencing(self.wire, self.group)
        try:
            async with self._topic() as tp:
                probes = await self._tried(tp)
        except BrokerError as error:
            return Probes(fences=fences, why=str(error))
        return replace(probes, fences=fences)

    @asynccontextmanager
    async def _topic(self) -> AsyncIterator[SourcePartition]:
        contract = throw_away(f"{PREFIX}.{secrets.token_hex(6)}")
        try:
            await self.admin.create([contract])
            yield SourcePartition(contract.name, 0)
        finally:
            with suppress(BrokerError):  # it may not have come into being; `topics` of others are never named so
                await self.admin.delete([contract.name])

    async def _tried(self, tp: SourcePartition) -> Probes:
        group = Group(self.wire, f"{self.group}.{tp.topic.rpartition('.')[2]}")
        keeps = await group.keeps_metadata(tp)
        refuses = await self._refuses_strangers(group.name, tp)
        skew, within = await self._skew(tp)
        return Probes(keeps, refuses, skew_s=skew, within_s=within)

    async def _refuses_strangers(self, group: str, tp: SourcePartition) -> bool:
        request = CommitRequest(group, STRANGER, {tp: (0, "")})
        answer = await self.wire.coordinated(Coordinator.GROUP, group, request, retry=loading_commit)
        refused = any(error_codes(answer).values())
        if not refused:
            await self.wire.coordinated(Coordinator.GROUP, group, DeleteGroupsRequest([group]))
        return refused

    async def _skew(self, tp: SourcePartition) -> tuple[float | None, float]:
        """How far the broker's clock is ahead of ours (s), and how exactly that is known; None without append times."""
        async with Producer(self.connection, timeout=10.0) as producer:
            await producer.send_all([Record(tp, b"probe")])  # the first one also finds the leader
            before = clock.now_us()
            (ack,) = await producer.send_all([Record(tp, b"probe")])
            after = clock.now_us()
        half = (after - before) / 2e6
        if ack.append_ms is None:
            return None, half
        return ack.append_ms / 1000 - (before + after) / 2e6, half + 0.001


def throw_away(name: str) -> Contract:
    """A topic for one look, which keeps the broker's time."""
    return Contract(
        name=name,
        purpose="a look of `lepton-stream doctor`",
        key="none",
        value="none",
        routed_by="none",
        partitions=1,
        replication=1,
        config=(("message.timestamp.type", "LogAppendTime"), ("retention.ms", "3600000")),
        written_by=("doctor",),
        read_by=("doctor",),
    )
