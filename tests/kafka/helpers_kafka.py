"""What several Kafka tests share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from aiokafka import AIOKafkaConsumer

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.app import Timing, make_app, serve
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.credentials import client_options
from lepton_stream.runtime.kafka.identity import Identity


class MakeTopic(Protocol):
    """Creates a topic with the test's name and a suffix; gives its name."""

    async def __call__(self, partitions: int = 1, suffix: str = "", settings: dict[str, str] | None = None) -> str: ...


@asynccontextmanager
async def member(
    connection: Connection, group: str, topic: str, instance: str | None = None
) -> AsyncIterator[AIOKafkaConsumer]:
    """A plain member of the group that has its assignment."""
    consumer = AIOKafkaConsumer(
        topic,
        group_id=group,
        group_instance_id=instance,
        enable_auto_commit=False,
        session_timeout_ms=6000,
        heartbeat_interval_ms=200,
        **client_options(connection),
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


def identity_of(consumer: AIOKafkaConsumer) -> Identity:
    """Who the consumer is to its group now."""
    c = consumer._coordinator
    return Identity(c.generation, c.member_id, c._group_instance_id)


class OnePartition:
    """Hooks of a worker that reads what it is assigned from the start."""

    async def assigned(
        self, partitions: frozenset[SourcePartition], identity: Identity
    ) -> Mapping[SourcePartition, int]:
        """All from offset 0."""
        return dict.fromkeys(partitions, 0)

    async def revoked(self, partitions: frozenset[SourcePartition], identity: Identity) -> None:
        """Nothing to finish."""


async def read_some(connection: Connection, group: str, tp: SourcePartition, n: int) -> list[bytes | None]:
    """The first n values of a partition, through the chunk transport."""
    values: list[bytes | None] = []
    app = make_app(connection, group, OnePartition(), timing=Timing(session=6, heartbeat=0.5, rebalance=6, request=10))
    stop = asyncio.Event()

    async def read(stream: object) -> None:
        async for fetched in app.partitions.read(stream):
            values.extend(fetched.chunk.values.to_list())
            if len(values) >= n:
                stop.set()

    app.agent(app.chunk_topic(tp.topic), name="read")(read)
    await serve(app, stop)
    return values
