"""What several Kafka tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from aiokafka import AIOKafkaConsumer

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
