"""What an owner may ask of the outside. Every call either has happened when it returns, or raises.

A call that raises means that this incarnation is over: nothing may be sent after it. A stale owner (the group has moved
on) is told so by the exception that its runtime uses; the owners here let every exception through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lepton_stream.chunk import Chunk
from lepton_stream.columns import Index
from lepton_stream.core import Prepared


@dataclass(frozen=True, slots=True)
class Position:
    """Where a partition stands: the committed offset with its metadata (None, None if there is none), and its log.

    `kept`: whether the broker keeps metadata at all. One that does not gives at-least-once after a crash.
    """

    offset: int | None
    metadata: str | None
    log_start: int
    log_end: int
    kept: bool = True


class SourcePort(Protocol):
    """The outside of the owner of one source partition."""

    async def commit(self, offset: int, metadata: str) -> None:
        """The group keeps offset and metadata, under the identity that this owner began with."""
        ...

    async def send(self, frames: Sequence[bytes]) -> None:
        """Frame i is in shuffle partition i, acknowledged by all replicas."""
        ...

    async def set_aside(self, chunk: Chunk, prepared: Prepared) -> None:
        """Dead letters and late records of the chunk are in their topics."""
        ...

    async def admitted(self, high: int) -> None:
        """Returns when a further range may be claimed (back-pressure)."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """A result as it is published; a value of None is a tombstone. `event`: it goes to the events topic instead."""

    key: bytes
    value: bytes | None
    event: bool = False


class MergePort(Protocol):
    """The outside of the owner of one shuffle partition."""

    async def commit(self, offset: int, metadata: str) -> None:
        """The group keeps offset and metadata, under the identity that this owner began with."""
        ...

    async def take_epoch(self) -> None:
        """From now on results of earlier owners are refused, once we have published something."""
        ...

    async def append_state(self, parts: Sequence[bytes]) -> list[int]:
        """The parts are in the state log, acknowledged by all replicas; their offsets."""
        ...

    async def read_state(self, first: int, last: int) -> list[tuple[int, bytes]]:
        """(offset, part) of all records of the state log in [first, last]."""
        ...

    async def publish(self, records: Sequence[Record]) -> None:
        """The records are in their topics, acknowledged; results are refused if a later owner has taken the epoch."""
        ...

    async def trim(self, shuffle_below: int, state_below: int) -> None:
        """What lies below is not needed any more; may be put off or left."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class FrameRun:
    """Frames of one shuffle partition, in offset order; `end` is the offset to go on from."""

    offsets: Index
    frames: Sequence[bytes]
    end: int
