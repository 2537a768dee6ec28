"""Ends the process between two promises, for tests of what a crash leaves: `LEPTON__TEST__FAIL=after_claim:3`.

A comma-separated list of points, each with how often it is passed until it kills (1 if left out); whichever comes first
ends the process as kill -9 does. Without the variable the ports are the plain ones, and nothing of this is called.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.core import Prepared
from lepton_stream.errors import UsageError
from lepton_stream.protocol.metadata import claim_of
from lepton_stream.protocol.ports import Record as Result
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.ports import KafkaMergePort, KafkaSourcePort
from lepton_stream.runtime.kafka.transport import Hooks

VARIABLE = "LEPTON__TEST__FAIL"
SOURCE = ("before_claim", "after_claim", "mid_letters", "after_letters", "mid_frames", "after_frames", "after_complete")
MERGE = ("after_epoch", "mid_state", "before_pointer", "after_pointer", "mid_publish", "after_publish")
GROUP = ("after_revoked", "after_assigned")
POINTS = (*SOURCE, *MERGE, *GROUP)


class Failpoints:
    """Counts how often each point was passed."""

    def __init__(self, wished: str) -> None:
        """Raises UsageError for a point that does not exist."""
        self._left: dict[str, int] = {}
        for one in filter(None, wished.split(",")):
            name, _, times = one.partition(":")
            if name not in POINTS or not (times or "1").isdecimal():
                raise UsageError(f"{VARIABLE} is {wished!r}: expects NAME or NAME:TIMES, of {', '.join(POINTS)}")
            self._left[name] = int(times or 1)

    def knows(self, name: str) -> bool:
        """Whether anybody is to die here."""
        return name in self._left

    def reach(self, name: str) -> None:
        """Die here, if it is time."""
        if name in self._left:
            self._left[name] -= 1
            if self._left[name] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


class FailingSourcePort(KafkaSourcePort):
    """Dies between claim, frames and completion."""

    points: Failpoints

    async def commit(self, offset: int, metadata: str) -> None:
        """A claim, or the completion of one."""
        claimed = claim_of(metadata, self._tp.topic).claim is not None
        if claimed:
            self.points.reach("before_claim")
        await super().commit(offset, metadata)
        self.points.reach("after_claim" if claimed else "after_complete")

    async def set_aside(self, chunk: Chunk, prepared: Prepared) -> None:
        """Before any frame. `mid_letters`: only the first half of the dead letters are out, and no late record."""
        half = len(prepared.rejects) // 2
        if half and self.points.knows("mid_letters"):
            await super().set_aside(chunk, replace(prepared, rejects=prepared.rejects[:half], late=prepared.late[:0]))
            self.points.reach("mid_letters")
        await super().set_aside(chunk, prepared)
        self.points.reach("after_letters")

    async def send(self, frames: Sequence[bytes]) -> None:
        """`mid_frames`: only the first half of the shuffle partitions have theirs."""
        if self.points.knows("mid_frames") and len(frames) > 1:
            await super().send(frames[: len(frames) // 2])
            self.points.reach("mid_frames")
        await super().send(frames)
        self.points.reach("after_frames")


class FailingMergePort(KafkaMergePort):
    """Dies between state, pointer and results."""

    points: Failpoints

    async def take_epoch(self) -> None:
        """Nothing is proved yet."""
        await super().take_epoch()
        self.points.reach("after_epoch")

    async def append_state(self, parts: Sequence[bytes]) -> list[int]:
        """`mid_state`: a part is in the log, and nobody points at it."""
        offsets = await super().append_state(parts[:1])
        self.points.reach("mid_state")
        return [*offsets, *(await super().append_state(parts[1:]) if len(parts) > 1 else [])]

    async def commit(self, offset: int, metadata: str) -> None:
        """The pointer."""
        self.points.reach("before_pointer")
        await super().commit(offset, metadata)
        self.points.reach("after_pointer")

    async def publish(self, records: Sequence[Result]) -> None:
        """`mid_publish`: only the first half of the results are out."""
        half = len(records) // 2
        if half:
            await super().publish(records[:half])
            self.points.reach("mid_publish")
        await super().publish(records[half:])
        self.points.reach("after_publish")


class FailingHooks:
    """Dies while the group gives partitions away anew."""

    def __init__(self, hooks: Hooks, points: Failpoints) -> None:
        self._hooks, self._points = hooks, points

    async def assigned(
        self, partitions: frozenset[SourcePartition], identity: Identity
    ) -> Mapping[SourcePartition, int]:
        """The partitions are ours, and nobody works on them yet."""
        starts = await self._hooks.assigned(partitions, identity)
        self._points.reach("after_assigned")
        return starts

    async def revoked(self, partitions: frozenset[SourcePartition], identity: Identity) -> None:
        """All is given back, and the group waits for us."""
        await self._hooks.revoked(partitions, identity)
        self._points.reach("after_revoked")


def group_hooks(hooks: Hooks, environ: Mapping[str, str]) -> Hooks:
    """The plain hooks, or ones that die."""
    points = _points(environ)
    return hooks if points is None else FailingHooks(hooks, points)


def source_port(
    outside: Outside, tp: SourcePartition, identity: Identity, environ: Mapping[str, str]
) -> KafkaSourcePort:
    """The plain port, or one that dies."""
    points = _points(environ)
    if points is None:
        return KafkaSourcePort(outside, tp, identity)
    port = FailingSourcePort(outside, tp, identity)
    port.points = points
    return port


def merge_port(outside: Outside, tp: SourcePartition, identity: Identity, environ: Mapping[str, str]) -> KafkaMergePort:
    """The plain port, or one that dies."""
    points = _points(environ)
    if points is None:
        return KafkaMergePort(outside, tp, identity)
    port = FailingMergePort(outside, tp, identity)
    port.points = points
    return port


_process: dict[str, Failpoints] = {}


def _points(environ: Mapping[str, str]) -> Failpoints | None:
    """One count for all ports of the process."""
    wished = environ.get(VARIABLE)
    return _process.setdefault(wished, Failpoints(wished)) if wished else None
