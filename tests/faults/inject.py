"""The faults, one function each; tests/faults/test_inject.py shows that each does what it says."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.kafka import broker
from lepton_stream.chunk import SourcePartition
from lepton_stream.protocol.merger import FENCE
from lepton_stream.runtime.kafka.group import NOBODY
from lepton_stream.runtime.kafka.protocol import CommitRequest
from lepton_stream.runtime.kafka.wire import Coordinator
from tests.faults.plain import whole
from tests.kafka_pipeline.pipe import Pipe, alive, until


def kill(pids: Iterable[int]) -> None:
    """kill -9, and wait until they are gone."""
    pids = list(pids)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(map(alive, pids)), 5, "the killed are gone")


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """SIGSTOP; SIGCONT in the end, come what may."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if alive(pid):
            os.kill(pid, signal.SIGCONT)


def administer(bootstrap: str, call: Callable[[AIOKafkaAdminClient], Awaitable[Any]]) -> Any:
    """One call of the admin client."""

    async def called() -> Any:
        client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await client.start()
        try:
            return await call(client)
        finally:
            await client.close()

    return asyncio.run(called())


def topics(bootstrap: str) -> set[str]:
    """The names of all topics."""
    return set(administer(bootstrap, lambda client: client.list_topics()))


def recreate(bootstrap: str, topic: str, partitions: int) -> None:
    """Delete a topic with all it holds, and make an empty one of that name."""
    administer(bootstrap, lambda client: client.delete_topics([topic]))
    until(lambda: topic not in topics(bootstrap), 20, "the topic is gone")

    def made() -> bool:
        answer = administer(bootstrap, lambda client: client.create_topics([NewTopic(topic, partitions, 1)]))
        return all(row[1] in (0, 36) for row in answer.topic_errors)  # it is there already

    until(made, 20, "the topic is made anew")


def _partitions(bootstrap: str) -> list[tuple[str, dict[str, Any]]]:
    found = administer(bootstrap, lambda client: client.describe_topics())
    return [(topic["topic"], part) for topic in found for part in topic["partitions"]]


def leads(bootstrap: str, number: int, topics: Iterable[str]) -> int:
    """Of how many partitions of these topics this broker is the leader."""
    return sum(part["leader"] == number for topic, part in _partitions(bootstrap) if topic in topics)


def in_sync(bootstrap: str, replicas: int) -> bool:
    """Whether every partition has all its replicas, those with fewer left aside."""
    parts = [part for _, part in _partitions(bootstrap) if len(part["replicas"]) == replicas]
    return bool(parts) and all(len(part["isr"]) == replicas for part in parts)


def raise_partitions(bootstrap: str, topic: str, partitions: int) -> None:
    """More partitions than before."""
    administer(bootstrap, lambda client: client.create_partitions({topic: NewPartitions(partitions)}))


def configure(bootstrap: str, topic: str, **settings: str) -> None:
    """A topic's settings, dots as underscores."""
    named = {name.replace("_", "."): value for name, value in settings.items()}
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, named)
    administer(bootstrap, lambda client: client.alter_configs([resource]))


@contextmanager
def throttled(bootstrap: str, rate: int) -> Iterator[None]:
    """Every client of the broker may send and fetch so many bytes a second, each; no limit in the end."""
    limits = ("producer_byte_rate", "consumer_byte_rate")
    _quota(bootstrap, "--add-config", ",".join(f"{name}={rate}" for name in limits))
    try:
        yield
    finally:
        _quota(bootstrap, "--delete-config", ",".join(limits))


def _quota(bootstrap: str, *what: str) -> None:
    """The program behind `kafka-configs.sh`."""
    whom = ("--bootstrap-server", bootstrap, "--alter", "--entity-type", "clients", "--entity-default")
    subprocess.run(broker.java("kafka.admin.ConfigCommand", *whom, *what), check=True, capture_output=True)


async def _fences(bootstrap: str, topic: str, partitions: int) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for _ in range(2):
            for p in range(partitions):
                await producer.send_and_wait(topic, key=FENCE.key, partition=p)
            await asyncio.sleep(0.05)


def compact(pipe: Pipe, topic: str, partitions: int) -> tuple[int, list[Any]]:
    """Force the log cleaner over all that was written: how many records there were, and those that are left.

    The newest segment is never cleaned, so fences without a value close it, as a new owner would write them.
    """
    eager = {
        "cleanup_policy": "compact",
        "segment_ms": "1",
        "min_cleanable_dirty_ratio": "0.01",
        "max_compaction_lag_ms": "1",
    }
    before = len(whole(pipe.bootstrap, topic, partitions))
    configure(pipe.bootstrap, topic, **eager, delete_retention_ms="0")
    asyncio.run(_fences(pipe.bootstrap, topic, partitions))

    def cleaned() -> list[Any] | None:
        left = whole(pipe.bootstrap, topic, partitions)
        newest = {(record.partition, record.key): record.offset for record in left}
        old = sum(record.offset < newest[record.partition, record.key] for record in left)
        return left if len(left) < before and old < before // 20 else None

    return before, until(cleaned, 60, "the log cleaner has been here", every=0.5)


def reset_offset(pipe: Pipe, tp: SourcePartition, offset: int, metadata: str = "") -> int:
    """What `kafka-consumer-groups --reset-offsets` does: a plain position; the broker's answer (0: taken)."""
    group = pipe.names.group
    request = CommitRequest(group, NOBODY, {tp: (offset, metadata)})
    answer = pipe.ask(lambda wire: wire.coordinated(Coordinator.GROUP, group, request))
    ((code,),) = [[code for _, code in rows] for _, rows in answer.topics]
    return int(code)
