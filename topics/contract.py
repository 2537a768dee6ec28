"""What is promised of a topic, as data: one frozen `Contract` a topic, and what several of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from lepton_stream.pipeline.durations import MICROSECONDS, size_text

Routing: TypeAlias = Literal["source", "group", "none"]
"""What decides a record's partition: where its source record was, its group's key, or nothing."""

DAY_MS = MICROSECONDS["d"] // 1000
FOREVER = "-1"
FRAME_BYTES = 16 << 20
"""A frame or a part of a checkpoint may be this large."""
USUAL_BYTES = (1 << 20) + 12
"""What Kafka takes in one batch unless told otherwise: 1 MiB and the batch's own first fields."""
HEADER_ROOM = 16 << 10
"""What the headers of a dead letter may add to a record, at most."""


@dataclass(frozen=True, slots=True)
class Contract:
    """One topic. `config`: (setting, value) by Kafka's names, in the order they are told.

    `managed`: whether its settings are ours to change; the source topic belongs to somebody else. `grows`: whether
    partitions may be added (nobody counts on which partition a record is in). `dead_letters`: the topic that takes what
    cannot be read of this one. `without`: what becomes of a run where the topic is missing; empty: none starts.
    """

    name: str
    purpose: str
    key: str
    value: str
    routed_by: Routing
    partitions: int
    replication: int
    config: tuple[tuple[str, str], ...]
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    dead_letters: str | None = None
    managed: bool = True
    grows: bool = False
    without: str = ""

    @property
    def settings(self) -> dict[str, str]:
        """The configuration as a mapping."""
        return dict(self.config)


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the source topic is in the cluster, if it is there: ours that hang on it follow."""

    partitions: int
    max_bytes: int


def kept(replication: int, *settings: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Settings of a topic of ours: what every one of them has, and its own."""
    # With three copies an acknowledged record survives the loss of one; with fewer, asking for two would stop writes.
    copies = "2" if replication >= 3 else "1"
    return (*settings, ("min.insync.replicas", copies), ("compression.type", "producer"))


def set_aside(facts: SourceFacts, replication: int) -> tuple[tuple[str, str], ...]:
    """Settings of a topic that takes records of the source as they are."""
    return kept(
        replication,
        ("cleanup.policy", "delete"),
        ("retention.ms", str(14 * DAY_MS)),
        ("retention.bytes", FOREVER),
        # Fourteen days from being set aside: counted from the record's own time, old data would go at once.
        ("message.timestamp.type", "LogAppendTime"),
        # A record of the source with our headers must fit, and a batch of small ones: a refused one stops the worker.
        ("max.message.bytes", str(max(facts.max_bytes, USUAL_BYTES) + HEADER_ROOM)),
    )


def value_text(setting: str, value: str) -> str:
    """A setting's value for people: `14 d` rather than milliseconds."""
    if value == FOREVER:
        return "no limit"
    if setting.endswith(".ms") and value.isdigit():
        days, rest = divmod(int(value), DAY_MS)
        return f"{value} ms" if rest else f"{days} d"
    if setting.endswith(".bytes") and value.isdigit():
        return size_text(int(value))
    return value
