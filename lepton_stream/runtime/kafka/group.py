"""What the group holds: committed offsets with their metadata, whether anybody is in it, whether metadata is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from aiokafka.protocol.admin import DeleteGroupsRequest, DescribeGroupsRequest
from aiokafka.protocol.commit import OffsetFetchRequest

from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.protocol import CommitRequest
from lepton_stream.runtime.kafka.said import said
from lepton_stream.runtime.kafka.wire import NOT_READY, Coordinator, Wire

NOBODY = Identity(-1, "")
PROBE = "kept"


class Committed(NamedTuple):
    """A partition's committed position."""

    offset: int
    metadata: str


class Group:
    """Reads of one consumer group; writes go through the committer only."""

    def __init__(self, wire: Wire, name: str) -> None:
        self.wire, self.name = wire, name

    async def committed(self, partitions: Iterable[SourcePartition]) -> dict[SourcePartition, Committed | None]:
        """Position and metadata of each partition, None where the group has none. Raises BrokerError."""
        wanted = list(partitions)
        topics: dict[str, list[int]] = {}
        for tp in wanted:
            topics.setdefault(tp.topic, []).append(tp.partition)
        request = OffsetFetchRequest(self.name, list(topics.items()))
        answer = await self.wire.coordinated(Coordinator.GROUP, self.name, request, retry=loading)
        found: dict[SourcePartition, Committed | None] = dict.fromkeys(wanted)
        for topic, rows in answer.topics:
            for partition, offset, metadata, code in rows:
                if code:
                    raise BrokerError(f"{topic} partition {partition}, group {self.name}: {said(code)}")
                if offset >= 0:
                    found[SourcePartition(topic, partition)] = Committed(offset, metadata or "")
        return found

    async def is_empty(self) -> bool:
        """Whether the group has no members, or does not exist."""

        def moved(answer: Any) -> bool:
            return any(row[0] in NOT_READY for row in answer.groups)

        answer = await self.wire.coordinated(
            Coordinator.GROUP, self.name, DescribeGroupsRequest([self.name]), retry=moved
        )
        return all(state in ("Empty", "Dead", "") for _, _, state, *_ in answer.groups)

    async def keeps_metadata(self, tp: SourcePartition) -> bool:
        """Whether this broker keeps commit metadata: commits some for an existing partition and reads it back.

        In a group of its own that nobody joins, which is deleted again: only there a commit without membership is
        harmless.
        """
        probe = Group(self.wire, f"{self.name}.probe")
        request = CommitRequest(probe.name, NOBODY, {tp: (0, PROBE)})
        await self.wire.coordinated(Coordinator.GROUP, probe.name, request, retry=loading_commit)
        found = (await probe.committed([tp]))[tp]
        await self.wire.coordinated(Coordinator.GROUP, probe.name, DeleteGroupsRequest([probe.name]))
        return found is not None and found.metadata == PROBE


def loading(answer: Any) -> bool:
    """Whether an OffsetFetch answer says that the coordinator is loading or has moved."""
    codes = [getattr(answer, "error_code", 0), *(row[3] for _, rows in answer.topics for row in rows)]
    return any(code in NOT_READY for code in codes)


def loading_commit(answer: Any) -> bool:
    """The same for an OffsetCommit answer."""
    return any(row[1] in NOT_READY for _, rows in answer.topics for row in rows)
