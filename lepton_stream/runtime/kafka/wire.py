"""One connection to the cluster for the requests that we build ourselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any, Self

from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.errors import IncompatibleBrokerVersion, KafkaConnectionError, KafkaError, NodeNotReadyError

from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.credentials import client_options, diagnose
from lepton_stream.runtime.kafka.said import raised, remedy, said, told

__all__ = ["NOT_READY", "Coordinator", "Wire", "told"]

BACKOFF = 0.1
NOT_READY = (5, 6, 7, 14, 15, 16)
"""Error codes that pass: no leader yet, leader moved, timed out, coordinator loading, not available, moved."""


class Coordinator(IntEnum):
    """What a coordinator coordinates: groups by group id, producers by transactional id."""

    GROUP = 0
    PRODUCER = 1


def successes(answer: dict[SourcePartition, tuple[int, int]]) -> dict[SourcePartition, int]:
    """Values of partitions without an error. Raises BrokerError for an error that does not pass."""
    for tp, (code, _) in answer.items():
        if code and code not in NOT_READY:
            raise BrokerError(f"{tp.topic} partition {tp.partition}: {said(code)}")
    return {tp: value for tp, (code, value) in answer.items() if not code}


def passes(error: Any) -> bool:
    """Whether it makes sense to ask again."""
    if isinstance(error, IncompatibleBrokerVersion):
        return False
    return isinstance(error, TimeoutError) or error.retriable or getattr(error, "errno", None) in NOT_READY


class Wire:
    """Sends requests to a coordinator or to partition leaders, finding them again when they move.

    `patience`: seconds during which a broker that cannot be reached is asked again; after it BrokerError is raised.
    """

    def __init__(self, connection: Connection, *, name: str = "lepton", patience: float = 60.0, timeout: float = 10.0):
        self.connection, self.patience = connection, patience
        self._name, self._timeout = name, timeout
        self._client: Any = None
        self._coordinators: dict[tuple[Coordinator, str], int] = {}

    async def open(self) -> Self:
        """Connect. Raises BrokerError with cause and remedy."""
        self._client = AIOKafkaClient(
            client_id=self._name,
            request_timeout_ms=int(self._timeout * 1000),
            retry_backoff_ms=int(BACKOFF * 1000),
            **client_options(self.connection),
        )
        try:
            await self._client.bootstrap()
        except KafkaConnectionError:
            await self.close()
            raise (await diagnose(self.connection, self._timeout)) from None
        return self

    async def close(self) -> None:
        """Close all connections; again does nothing."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def coordinated(
        self, kind: Coordinator, key: str, request: Any, retry: Callable[[Any], bool] = lambda _: False
    ) -> Any:
        """The coordinator's answer; asked again while it moves or while `retry(answer)` says so.

        The request is sent again as it is: nothing in it is renewed. Raises BrokerError when patience ends.
        """

        async def once() -> Any:
            node = self._coordinators.get((kind, key))
            if node is None:
                if not self._client.cluster.brokers():  # one that has just come up may know of none, itself included
                    raise NodeNotReadyError
                node = await self._client.coordinator_lookup(kind, key)
                self._coordinators[kind, key] = node
            return await self._client.send(node, request, group=ConnectionGroup.COORDINATION)

        def failed(answer: Any) -> bool:
            again = answer is None or retry(answer)
            if again:
                self._coordinators.pop((kind, key), None)
            return again

        return await self._patiently(once, failed)

    async def _patiently(self, once: Callable[[], Any], failed: Callable[[Any], bool]) -> Any:
        """Call `once` until its answer has not failed. Raises BrokerError when patience ends."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.patience
        why = "it does not become ready"
        while loop.time() < deadline:
            try:
                answer = await once()
            except (TimeoutError, KafkaError) as error:
                if not passes(error):
                    raise BrokerError(f"broker {self.connection.bootstrap}: {raised(error)}") from error
                answer, why = None, f"{type(error).__name__}"
            if not failed(answer):
                return answer
            # Where things moved to is in the metadata; without a connection it fails as slowly as the timeout says.
            await self._client.force_metadata_update()
            await asyncio.sleep(BACKOFF)
        raise BrokerError(
            f"broker {self.connection.bootstrap} gave no answer for {self.patience:.0f} s ({why}); check that it runs"
        )

    async def by_leader(
        self,
        partitions: Iterable[SourcePartition],
        build: Callable[[list[SourcePartition]], Any],
        read: Callable[[Any], dict[SourcePartition, tuple[int, int]]],
    ) -> dict[SourcePartition, int]:
        """Ask the leader of each partition: `read` gives (error code, value) for each of an answer's partitions.

        Raises BrokerError for an error that does not pass, naming the partition.
        """
        done: dict[SourcePartition, int] = {}
        wanted = set(partitions)

        async def once() -> bool:
            for node, mine in (await self._leaders(wanted - done.keys())).items():
                done.update(successes(read(await self._client.send(node, build(mine)))))
            return wanted == done.keys()

        await self._patiently(once, lambda complete: not complete)
        return done

    async def _leaders(self, partitions: Iterable[SourcePartition]) -> dict[int, list[SourcePartition]]:
        """Partitions by the node that leads them; those without a leader are left out."""
        leaders: dict[int, list[SourcePartition]] = {}
        for tp in sorted(partitions):
            if tp.partition not in await self.partitions(tp.topic):
                raise BrokerError(f"{tp.topic} has no partition {tp.partition}; {remedy(3)}")
            node = self._client.cluster.leader_for_partition(tp)
            if node is not None and node >= 0:
                leaders.setdefault(node, []).append(tp)
        return leaders

    async def partitions(self, topic: str) -> set[int]:
        """The topic's partitions. Raises BrokerError if there is no such topic."""
        try:
            return set(await self._client._wait_on_metadata(topic))  # noqa: SLF001  (pinned by the contract test)
        except KafkaError as error:
            raise BrokerError(f"topic {topic}: {error}; `lepton-stream topics apply` creates it") from error
