"""The tasks that own partitions: one each, fed by the agents, ended when the group moves on."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from lepton_stream import clock
from lepton_stream.chunk import Chunk, SourcePartition, join
from lepton_stream.protocol.merger import Merger
from lepton_stream.protocol.ports import FrameRun, Position
from lepton_stream.protocol.preparer import Preparer
from lepton_stream.runtime.kafka.fetch import Fetched
from lepton_stream.runtime.kafka.measure import ShuffleMeasure, SourceMeasure
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.ports import KafkaMergePort, KafkaSourcePort
from lepton_stream.runtime.kafka.recovery import refuse_other_sources
from lepton_stream.telemetry.catalogue import CHECKPOINT, RESTORED
from lepton_stream.telemetry.facts import tell

INBOX = "inbox"


class Gate(Protocol):
    """Pauses and resumes partitions (`transport.Partitions`)."""

    def pause(self, tp: SourcePartition, reason: str = ...) -> None:
        """Hand out nothing more."""

    def resume(self, tp: SourcePartition, reason: str = ...) -> None:
        """Go on."""


class Inbox:
    """Chunks that wait for their owner; the partition is paused while they are too many."""

    def __init__(self, tp: SourcePartition, gate: Gate, most: int) -> None:
        self._tp, self._gate, self._most = tp, gate, most
        self._chunks: deque[Chunk] = deque()
        self._bytes = 0
        self._paused = False
        self.arrived = asyncio.Event()
        self.closed = False

    def put(self, fetched: Fetched) -> None:
        """Called by the agent; never waits."""
        if self.closed:
            return
        self._chunks.append(fetched.chunk)
        self._bytes += weight(fetched.chunk)
        self.arrived.set()
        if self._bytes > self._most and not self._paused:
            self._paused = True
            self._gate.pause(self._tp, INBOX)

    def take(self, most: int) -> list[Chunk]:
        """The chunks that follow each other, at least one if any is there, up to so many bytes."""
        taken: list[Chunk] = []
        size = 0
        while self._chunks and (not taken or size + weight(self._chunks[0]) <= most):
            taken.append(self._chunks.popleft())
            size += weight(taken[-1])
        self._bytes -= size
        if self._paused and self._bytes <= self._most // 2:
            self._paused = False
            self._gate.resume(self._tp, INBOX)
        if not self._chunks and not self.closed:
            self.arrived.clear()
        return taken

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._chunks

    def close(self) -> None:
        """Nothing more comes, and what waits is dropped: whoever owns the partition next reads it again."""
        self._chunks.clear()
        self.closed = True
        self.arrived.set()

    async def wait(self, seconds: float) -> None:
        """Until something arrives, the inbox is closed, or the time is over."""
        try:
            async with asyncio.timeout(seconds):
                await self.arrived.wait()
        except TimeoutError:
            pass


def weight(chunk: Chunk) -> int:
    """Bytes of the values, roughly."""
    return chunk.values.weight


class SourceOwner:
    """Feeds a `Preparer`. `run`: the name of a run that ends where the log ends now, None if it has no end."""

    def __init__(
        self, preparer: Preparer, outside: Outside, inbox: Inbox, port: KafkaSourcePort, *, run: str | None
    ) -> None:
        self.preparer, self.inbox, self.port = preparer, inbox, port
        port.complete = preparer.settle
        self._outside, self._source = outside, preparer.job.plan.source
        self._run = run
        self._quiet_since = clock.elapsed_s()
        self.measure = SourceMeasure(outside.meter)
        self._begun = False

    @property
    def restored(self) -> bool:
        """Whether the partition goes on where its last owner was."""
        return self._begun and self.preparer.restored

    async def begin(self, at: Position, before: Owner | None) -> int:
        """Where to read from. `before`: the partition's last owner in this worker."""
        start = self._start(at, before)
        self._begun = True
        self._note_restored()
        return start

    def _start(self, at: Position, before: Owner | None) -> int:
        old = before.preparer if isinstance(before, SourceOwner) else None
        era = self._outside.view.era
        if self._run is None:
            return self.preparer.begin(at, before=old, era=era)
        return self.preparer.begin(at, at.log_end, self._run, old, era)

    async def run(self) -> None:
        """Until the inbox is closed."""
        limits = self._outside.limits
        await self.preparer.settle()
        while not self.inbox.closed:
            await self.inbox.wait(limits.watch_s)
            chunks = self.inbox.take(limits.claim_bytes)
            if chunks:
                began, chunk = clock.elapsed_s(), join(chunks)
                await self.preparer.take(chunk)
                self.measure.prepared(chunk, began)
                self._note_restored()
                self._quiet_since = clock.elapsed_s()
            if self.inbox.empty:
                await self.preparer.settle()
                await self._maybe_quiet()
        await self.preparer.settle()

    async def give_back(self) -> None:
        """End: the task finishes its step and completes the range."""
        self.port.stopping = True
        self.inbox.close()

    async def release(self) -> None:
        """Nothing is held."""

    def _note_restored(self) -> None:
        if self.preparer.restored and self.measure.restored():
            tell(
                RESTORED,
                topic=self.preparer.source.topic,
                partition=self.preparer.source.partition,
                forgotten=self.preparer.forgotten,
            )

    async def _maybe_quiet(self) -> None:
        """A source that was read to its end and said nothing for a while lets time pass, as long as windows wait."""
        timeout = self._source.idle_timeout_us
        quiet_us = (clock.elapsed_s() - self._quiet_since) * 1e6
        view = self._outside.view
        if self._source.idle != "advance" or quiet_us < timeout or not self._outside.windows_open():
            return
        if view.seen.ends.get(self.preparer.source, 0) > self.preparer.done:  # written, and not read yet
            return
        now = self._outside.time.now_us()
        if now is not None:
            await self.preparer.quiet(now - timeout)
        else:
            await self.preparer.greet()


class ShuffleOwner:
    """Feeds a `Merger`, and lets it make checkpoints."""

    def __init__(self, merger: Merger, outside: Outside, inbox: Inbox, port: KafkaMergePort) -> None:
        self.merger, self.inbox, self.port = merger, inbox, port
        self._outside = outside
        self._last = clock.elapsed_s()
        self._pause = outside.limits.checkpoint_s
        self.measure = ShuffleMeasure(outside.meter)

    @property
    def restored(self) -> bool:
        """Whether the state is as the last owner left it."""
        return self.measure.restored

    async def begin(self, at: Position, before: Owner | None) -> int:
        """Take over; where to read from. `before`: the partition's last owner in this worker."""
        start = await self.merger.begin(at, before.merger if isinstance(before, ShuffleOwner) else None)
        refuse_other_sources(self._outside, self.merger.state.progress.keys())
        self.measure.begun()
        tell(
            RESTORED,
            topic=self.merger.partition.topic,
            partition=self.merger.partition.partition,
            checkpoint=self.merger.pointer.number,
        )
        return start

    async def run(self) -> None:
        """Until the inbox is closed."""
        limits = self._outside.limits
        while not self.inbox.closed:
            left = self._last + self._pause - clock.elapsed_s()
            if self.merger.due and left <= 0:
                await self._checkpoint()
                continue
            await self.inbox.wait(left if self.merger.due else limits.watch_s)
            for chunk in self.inbox.take(limits.inbox_bytes):
                began = clock.elapsed_s()
                self.merger.take(FrameRun(chunk.offsets, [v or b"" for v in chunk.values.to_list()], chunk.end))
                self.measure.folded(began)
                await asyncio.sleep(0)  # heartbeats and fetches go on between frames
        if self.merger.due:
            await self._checkpoint()

    async def _checkpoint(self) -> None:
        """Checkpoints may take a twentieth of the time: the busier broker and worker are, the rarer they are."""
        began, limits = clock.elapsed_s(), self._outside.limits
        results = await self.merger.checkpoint()
        self._last = clock.elapsed_s()
        self.measure.completed(results, self._last - began, self._outside.time.now_us() or clock.now_us())
        tell(
            CHECKPOINT,
            topic=self.merger.partition.topic,
            partition=self.merger.partition.partition,
            checkpoint=self.merger.pointer.number,
            results=sum(map(len, results)),
            seconds=round(self._last - began, 3),
        )
        self._pause = min(max(limits.checkpoint_s, 20 * (self._last - began)), limits.checkpoint_most_s)

    async def give_back(self) -> None:
        """End: the task finishes its step and makes a last checkpoint."""
        self.inbox.close()

    async def release(self) -> None:
        """Let go of connections."""
        await self.port.close()


Owner = SourceOwner | ShuffleOwner
