"""The timestamp of the newest record of a log: ListOffsets version 7, which knows it (aiokafka stops at version 3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactString, Int8, Int16, Int32, Int64, Schema, TaggedFields

from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.wire import Wire

MAX_TIMESTAMP = -3
NOT_A_REPLICA, READ_COMMITTED, UNKNOWN_EPOCH = -1, 1, -1


class ListOffsetsResponse_v7(Response):  # type: ignore[misc]  # noqa: N801  (aiokafka's way of naming versions)
    """https://kafka.apache.org/protocol.html, ListOffsets Response (Version: 7)."""

    API_KEY = 2
    API_VERSION = 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("error_code", Int16),
                        ("timestamp", Int64),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class ListOffsetsRequest_v7(RequestStruct):  # type: ignore[misc]  # noqa: N801
    """https://kafka.apache.org/protocol.html, ListOffsets Request (Version: 7)."""

    FLEXIBLE_VERSION = True
    API_KEY = 2
    API_VERSION = 7
    RESPONSE_TYPE = ListOffsetsResponse_v7
    SCHEMA = Schema(
        ("replica_id", Int32),
        ("isolation_level", Int8),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("current_leader_epoch", Int32),
                        ("timestamp", Int64),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class NewestTime(Request[ListOffsetsRequest_v7]):  # type: ignore[misc]
    """What the newest timestamps of these partitions are."""

    API_KEY = 2

    def __init__(self, partitions: Iterable[SourcePartition]) -> None:
        self._partitions = tuple(partitions)

    def build(self, request_struct_class: type[RequestStruct]) -> RequestStruct:
        """The request."""
        topics: dict[str, list[tuple[Any, ...]]] = {}
        for tp in self._partitions:
            topics.setdefault(tp.topic, []).append((tp.partition, UNKNOWN_EPOCH, MAX_TIMESTAMP, {}))
        rows: list[tuple[Any, ...]] = [(topic, partitions, {}) for topic, partitions in topics.items()]
        return request_struct_class(NOT_A_REPLICA, READ_COMMITTED, rows, {})


class NewestTimes:
    """Asks; a broker that cannot tell (older than 3.0, or the embedded one) is asked once."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._can_tell = True

    async def of(self, partitions: Iterable[SourcePartition]) -> dict[SourcePartition, int]:
        """Microseconds since 1970 of the newest record; nothing of empty logs, and where nobody can tell."""
        asked = tuple(partitions)
        if not asked or not self._can_tell:
            return {}

        def read(answer: Any) -> dict[SourcePartition, tuple[int, int]]:
            return {
                SourcePartition(topic, row[0]): (row[1], row[2]) for topic, rows, _ in answer.topics for row in rows
            }

        try:
            found = await self._wire.by_leader(asked, NewestTime, read)
        except NotImplementedError:
            self._can_tell = False
            return {}
        except BrokerError as error:
            self._can_tell = not isinstance(error.__cause__, IncompatibleBrokerVersion)
            return {}
        return {tp: ms * 1000 for tp, ms in found.items() if ms >= 0}
