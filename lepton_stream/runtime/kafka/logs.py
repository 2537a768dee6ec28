"""Where partition logs begin and end, and trimming their beginning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.protocol.admin import DeleteRecordsRequest
from aiokafka.protocol.offset import OffsetRequest

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.wire import Wire

EARLIEST, LATEST = -2, -1
NOT_A_REPLICA = -1
TRIM_MILLISECONDS = 10_000


class Logs:
    """Bounds of partition logs, asked from their leaders. All methods raise BrokerError."""

    def __init__(self, wire: Wire, *, committed_only: bool = False) -> None:
        """`committed_only`: ends lie before the first open transaction, as a read_committed consumer sees them."""
        self._wire, self._isolation = wire, int(committed_only)

    async def starts(self, partitions: Iterable[SourcePartition]) -> dict[SourcePartition, int]:
        """Lowest offset that is still there."""
        return await self._list(partitions, EARLIEST)

    async def ends(self, partitions: Iterable[SourcePartition]) -> dict[SourcePartition, int]:
        """Offset of the next record to be written."""
        return await self._list(partitions, LATEST)

    async def _list(self, partitions: Iterable[SourcePartition], when: int) -> dict[SourcePartition, int]:
        def build(mine: list[SourcePartition]) -> Any:
            return OffsetRequest(NOT_A_REPLICA, self._isolation, by_topic(dict.fromkeys(mine, when)))

        def read(answer: Any) -> dict[SourcePartition, tuple[int, int]]:
            rows = ((topic, row) for topic, rows in answer.topics for row in rows)
            return {SourcePartition(topic, row[0]): (row[1], row[-1]) for topic, row in rows}

        return await self._wire.by_leader(partitions, build, read)

    async def trim(self, before: Mapping[SourcePartition, int]) -> dict[SourcePartition, int]:
        """Delete what lies before these offsets; the new starts."""

        def build(mine: list[SourcePartition]) -> Any:
            return DeleteRecordsRequest(by_topic({tp: before[tp] for tp in mine}), TRIM_MILLISECONDS)

        def read(answer: Any) -> dict[SourcePartition, tuple[int, int]]:
            rows = ((topic, row) for topic, rows, *_ in answer.topics for row in rows)
            return {SourcePartition(topic, row[0]): (row[2], row[1]) for topic, row in rows}

        return await self._wire.by_leader(before, build, read)


def by_topic(values: Mapping[SourcePartition, int]) -> list[tuple[str, list[tuple[int, int]]]]:
    """(topic, [(partition, value)]) as requests want it."""
    topics: dict[str, list[tuple[int, int]]] = {}
    for tp, value in values.items():
        topics.setdefault(tp.topic, []).append((tp.partition, value))
    return list(topics.items())
