"""OffsetCommit version 7, which carries the static member id (aiokafka stops at version 3, without it)."""

from __future__ import annotations

from typing import TypeAlias

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.commit import OffsetCommitRequest_v3, OffsetCommitResponse_v3
from aiokafka.protocol.types import Array, Int32, Int64, Schema, String

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.identity import Identity

UNKNOWN_LEADER_EPOCH = -1
BROKER_RETENTION = -1

Positions: TypeAlias = dict[SourcePartition, tuple[int, str]]
"""Offset and metadata for each partition."""


class OffsetCommitResponse_v7(Response):  # type: ignore[misc]  # noqa: N801  (aiokafka's way of naming versions)
    """As version 3."""

    API_KEY = 8
    API_VERSION = 7
    SCHEMA = OffsetCommitResponse_v3.SCHEMA


class OffsetCommitRequest_v7(RequestStruct):  # type: ignore[misc]  # noqa: N801
    """https://kafka.apache.org/protocol.html, OffsetCommit Request (Version: 7)."""

    API_KEY = 8
    API_VERSION = 7
    RESPONSE_TYPE = OffsetCommitResponse_v7
    SCHEMA = Schema(
        ("consumer_group", String("utf-8")),
        ("consumer_group_generation_id", Int32),
        ("consumer_id", String("utf-8")),
        ("group_instance_id", String("utf-8")),
        (
            "topics",
            Array(
                ("topic", String("utf-8")),
                (
                    "partitions",
                    Array(
                        ("partition", Int32),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                        ("metadata", String("utf-8")),
                    ),
                ),
            ),
        ),
    )


class CommitRequest(Request[OffsetCommitRequest_v3 | OffsetCommitRequest_v7]):  # type: ignore[misc]
    """Commit these positions as this identity, and as no other."""

    API_KEY = 8

    def __init__(self, group: str, identity: Identity, positions: Positions) -> None:
        self._group, self._identity, self._positions = group, identity, positions

    def build(self, request_struct_class: type[RequestStruct]) -> RequestStruct:
        """The request in the newest version that both sides know."""
        with_instance = request_struct_class.API_VERSION >= 7
        topics: dict[str, list[tuple[int | str, ...]]] = {}
        for tp, (offset, metadata) in self._positions.items():
            epoch = (UNKNOWN_LEADER_EPOCH,) if with_instance else ()
            topics.setdefault(tp.topic, []).append((tp.partition, offset, *epoch, metadata))
        identity = self._identity
        extra = identity.instance if with_instance else BROKER_RETENTION
        return request_struct_class(self._group, identity.generation, identity.member_id, extra, list(topics.items()))
