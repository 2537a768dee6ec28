"""The faults, one function each; tests/faults/test_inject.py shows that each does what it says."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.group import NOBODY
from lepton_stream.runtime.kafka.protocol import CommitRequest
from lepton_stream.runtime.kafka.wire import Coordinator
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


def raise_partitions(bootstrap: str, topic: str, partitions: int) -> None:
    """More partitions than before."""
    administer(bootstrap, lambda client: client.create_partitions({topic: NewPartitions(partitions)}))


def configure(bootstrap: str, topic: str, **settings: str) -> None:
    """A topic's settings, dots as underscores."""
    named = {name.replace("_", "."): value for name, value in settings.items()}
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, named)
    administer(bootstrap, lambda client: client.alter_configs([resource]))


def reset_offset(pipe: Pipe, tp: SourcePartition, offset: int, metadata: str = "") -> int:
    """What `kafka-consumer-groups --reset-offsets` does: a plain position; the broker's answer (0: taken)."""
    group = pipe.names.group
    request = CommitRequest(group, NOBODY, {tp: (offset, metadata)})
    answer = pipe.ask(lambda wire: wire.coordinated(Coordinator.GROUP, group, request))
    ((code,),) = [[code for _, code in rows] for _, rows in answer.topics]
    return int(code)
