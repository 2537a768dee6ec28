"""IncrementalAlterConfigs (KIP-339): sets what is named and leaves the rest; aiokafka has only the older request."""

from __future__ import annotations

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int8, Int16, Int32, Schema, String

TOPIC = 2
SET = 0


class AlterResponse_v0(Response):  # type: ignore[misc]  # noqa: N801  (aiokafka's way of naming versions)
    """One (code, message, kind, name) for each resource."""

    API_KEY = 44
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "resources",
            Array(
                ("error_code", Int16),
                ("error_message", String("utf-8")),
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
            ),
        ),
    )


class AlterRequest_v0(RequestStruct):  # type: ignore[misc]  # noqa: N801
    """https://kafka.apache.org/protocol.html, IncrementalAlterConfigs Request (Version: 0)."""

    API_KEY = 44
    API_VERSION = 0
    RESPONSE_TYPE = AlterResponse_v0
    SCHEMA = Schema(
        (
            "resources",
            Array(
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
                (
                    "configs",
                    Array(("name", String("utf-8")), ("operation", Int8), ("value", String("utf-8"))),
                ),
            ),
        ),
        ("validate_only", Boolean),
    )


class AlterTopics(Request[AlterRequest_v0]):  # type: ignore[misc]
    """Set these settings of these topics, and no others."""

    API_KEY = 44

    def __init__(self, topics: dict[str, dict[str, str]]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[RequestStruct]) -> RequestStruct:
        """The request."""
        rows = [(TOPIC, name, [(k, SET, v) for k, v in settings.items()]) for name, settings in self._topics.items()]
        return request_struct_class(rows, False)
