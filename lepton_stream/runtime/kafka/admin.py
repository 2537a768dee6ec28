"""The topics of a cluster: looked at, created, changed. What has to be done is decided by `topics.difference`."""

# ruff: noqa: SLF001  (what lies inside aiokafka and Faust is pinned by tests/kafka/test_contract.py)

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import IncompatibleBrokerVersion, KafkaConnectionError, KafkaError
from aiokafka.protocol.admin import ApiVersionRequest
from aiokafka.protocol.metadata import MetadataRequest

from lepton_stream.errors import BrokerError, UsageError
from lepton_stream.runtime.kafka.alter import AlterTopics
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.credentials import client_options, diagnose
from lepton_stream.runtime.kafka.said import raised, said
from lepton_stream.runtime.kafka.wire import NOT_READY
from lepton_stream.topics.contract import Contract
from lepton_stream.topics.difference import Found

UNKNOWN_TOPIC, EXISTS = 3, 36
BROKER = ConfigResourceType.BROKER
APPEAR_SECONDS = 15.0
LOOK_AGAIN_SECONDS = 0.05
UNSUPPORTED = (IncompatibleBrokerVersion, NotImplementedError)


class Admin:
    """Asks and changes topics. All methods raise BrokerError, which names the topic."""

    def __init__(self, connection: Connection, timeout: float = 10.0) -> None:
        self._connection, self._timeout = connection, timeout
        self._admin: Any = None

    async def __aenter__(self) -> Self:
        milliseconds = int(self._timeout * 1000)
        self._admin = AIOKafkaAdminClient(request_timeout_ms=milliseconds, **client_options(self._connection))
        try:
            await self._admin.start()
        except KafkaConnectionError:
            await self._admin.close()
            raise (await diagnose(self._connection, self._timeout)) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()

    async def found(self, names: Iterable[str]) -> dict[str, Found]:
        """Those of the topics that exist. Never makes the broker create one."""
        rows = [row for row in await self._metadata(names) if row["error_code"] != UNKNOWN_TOPIC]
        for row in rows:
            if row["error_code"]:
                raise BrokerError(f"topic {row['topic']}: {said(row['error_code'])}")
        settings = await self._settings([row["topic"] for row in rows])
        return {row["topic"]: found_of(row, settings.get(row["topic"])) for row in rows}

    async def _metadata(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """Asked again while leaders are being chosen: a topic that was just made has none for a moment."""
        request = MetadataRequest(sorted(names), allow_auto_topic_creation=False)
        deadline = asyncio.get_running_loop().time() + APPEAR_SECONDS
        while True:
            rows: list[dict[str, Any]] = (await self._asked(self._admin._send_request(request))).to_object()["topics"]
            codes = {
                code for row in rows for code in (row["error_code"], *(p["error_code"] for p in row["partitions"]))
            }
            if not codes & set(NOT_READY) or asyncio.get_running_loop().time() > deadline:
                return rows
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _settings(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        """Settings by topic; a topic whose settings the broker does not tell is left out."""
        if not names:
            return {}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        try:
            answers = await self._asked(self._admin.describe_configs(resources))
        except UNSUPPORTED:
            return {}
        rows = [row for answer in answers for row in answer.resources]
        return {row[3]: {entry[0]: entry[1] or "" for entry in row[4]} for row in rows if row[0] == 0 and row[4]}

    async def nodes(self) -> list[int]:
        """The ids of the brokers."""
        return [row["node_id"] for row in (await self._asked(self._admin.describe_cluster()))["brokers"]]

    async def apis(self) -> dict[int, tuple[int, int]]:
        """Lowest and highest version of each request that a broker takes, by its key."""
        answer = await self._asked(self._admin._send_request(ApiVersionRequest()))
        return {key: (lowest, highest) for key, lowest, highest in answer.api_versions}

    async def broker_settings(self, node: int) -> dict[str, str] | None:
        """The settings of one broker, None where it does not tell them to us."""
        try:
            answers = await self._asked(self._admin.describe_configs([ConfigResource(BROKER, str(node))]))
        except (*UNSUPPORTED, BrokerError):
            return None
        rows = [row for answer in answers for row in answer.resources]
        return {e[0]: e[1] or "" for row in rows if row[0] == 0 for e in row[4]} or None

    async def delete(self, names: Sequence[str]) -> None:
        """Delete these topics."""
        answer = await self._asked(self._admin.delete_topics(list(names)))
        for topic, code in (row[:2] for row in answer.topic_error_codes):
            if code not in (0, UNKNOWN_TOPIC):
                raise refused(f"topic {topic} cannot be deleted", code, "")

    async def create(self, contracts: Sequence[Contract]) -> None:
        """Create these topics and wait until each partition has a leader. One that somebody just made is no error."""
        new = [NewTopic(c.name, c.partitions, c.replication, topic_configs=c.settings) for c in contracts]
        answer = await self._asked(self._admin.create_topics(new))
        for topic, code, *message in answer.topic_errors:
            if code not in (0, EXISTS):
                raise refused(f"topic {topic} cannot be created", code, message[0] if message else "")
        await self._appeared({c.name: c.partitions for c in contracts})

    async def grow(self, partitions: Mapping[str, int]) -> None:
        """Give these topics so many partitions in all."""
        wanted = {name: NewPartitions(total) for name, total in partitions.items()}
        await self._asked(self._admin.create_partitions(wanted))
        await self._appeared(partitions)

    async def _appeared(self, wanted: Mapping[str, int]) -> None:
        deadline = asyncio.get_running_loop().time() + APPEAR_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            rows = {row["topic"]: row for row in await self._metadata(wanted)}
            if all(name in rows and ready(rows[name]) >= count for name, count in wanted.items()):
                return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        raise BrokerError(
            f"the topics {', '.join(wanted)} were created, but their partitions do not appear; look again"
        )

    async def set(self, topics: dict[str, dict[str, str]]) -> bool:
        """Change these settings and no others, and wait until they show; False if this broker cannot."""
        try:
            answer = await self._asked(self._admin._send_to_controller(AlterTopics(topics)))
        except UNSUPPORTED:
            return False
        for code, message, _, name in answer.resources:
            if code:
                raise refused(f"topic {name}: {', '.join(topics[name])} cannot be set", code, message)
        await self._settled(topics)
        return True

    async def _settled(self, topics: Mapping[str, Mapping[str, str]]) -> None:
        """Brokers learn of a change a moment after the controller has taken it."""
        deadline = asyncio.get_running_loop().time() + APPEAR_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            told = await self._settings(sorted(topics))
            if all(wanted.items() <= told.get(name, wanted).items() for name, wanted in topics.items()):
                return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _asked(self, question: Any) -> Any:
        try:
            return await question
        except UNSUPPORTED:
            raise
        except (KafkaError, TimeoutError) as error:
            raise BrokerError(f"broker {self._connection.bootstrap}: {raised(error)}") from error


async def partitions_of(admin: Admin, topic: str) -> int:
    """How many partitions a topic has. Raises UsageError with the remedy if it does not exist."""
    found = await admin.found([topic])
    if topic not in found:
        raise UsageError(f"topic {topic} does not exist; create it with: lepton-stream topics apply PIPELINE")
    return found[topic].partitions


def found_of(row: Mapping[str, Any], settings: Mapping[str, str] | None) -> Found:
    """A topic from its metadata; the copies are those of the partition that has the fewest."""
    copies = min((len(p["replicas"]) for p in row["partitions"]), default=0)
    return Found(row["topic"], len(row["partitions"]), copies, settings)


def ready(row: Mapping[str, Any]) -> int:
    """How many partitions of a topic have a leader."""
    return sum(1 for p in row["partitions"] if p["error_code"] == 0 and p["leader"] >= 0)


def refused(what: str, code: int, message: str | None) -> BrokerError:
    """The message for a change that the broker does not make."""
    return BrokerError(f"{what}: {said(code, message)}")
