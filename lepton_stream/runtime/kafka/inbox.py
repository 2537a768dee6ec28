"""Chunks that wait for the owner of their partition; who has too many is paused."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

import numpy as np

from lepton_stream import clock
from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.runtime.kafka.fetch import Fetched

INBOX = "inbox"
_A_RECORD = 64
"""Bytes of a record besides its value: where value and key lie, offset and timestamp, a short key."""


class Gate(Protocol):
    """Pauses and resumes partitions (`transport.Partitions`)."""

    def pause(self, tp: SourcePartition, reason: str = ...) -> None:
        """Hand out nothing more."""

    def resume(self, tp: SourcePartition, reason: str = ...) -> None:
        """Go on."""


class Inbox:
    """Chunks that wait for their owner; the partition is paused while they are too many."""

    def __init__(self, tp: SourcePartition, gate: Gate, most: int) -> None:
        """`most`: bytes of memory above which the partition is paused."""
        self._tp, self._gate, self._most = tp, gate, most
        self._chunks: deque[tuple[float, Chunk]] = deque()
        """Each with when it came, on the clock that only goes forward."""
        self.bytes = 0
        """Memory of what waits."""
        self.stamp_us: int | None = None
        """When the last record that came was written, by producer or broker: microseconds since 1970."""
        self._paused = False
        self.taken_s = 0.0
        """When the last of what was taken came."""
        self.arrived = asyncio.Event()
        self._more = asyncio.Event()
        self.closed = False

    def put(self, fetched: Fetched) -> None:
        """Called by the agent; never waits."""
        if self.closed:
            return
        self._chunks.append((clock.elapsed_s(), fetched.chunk))
        if len(fetched.chunk):
            self.stamp_us = stamp_of(fetched.chunk)
        self.bytes += memory_of(fetched.chunk)
        self.arrived.set()
        self._more.set()
        if self.bytes > self._most and not self._paused:
            self._paused = True
            self._gate.pause(self._tp, INBOX)

    def take(self, most: int = 0) -> list[Chunk]:
        """The chunks that follow each other, up to so many bytes of memory; of one that takes more, its first records.

        Without a bound the first chunk alone.
        """
        taken: list[Chunk] = []
        size = 0
        if self._chunks and most and memory_of(self._chunks[0][1]) > most:
            came, chunk = self._chunks.popleft()
            self._chunks.extendleft((came, piece) for piece in reversed(cut_at(chunk, most)))
        while self._chunks and (not taken or size + memory_of(self._chunks[0][1]) <= most):
            self.taken_s, chunk = self._chunks.popleft()
            taken.append(chunk)
            size += (took := memory_of(chunk))
            self.bytes -= took
        if self._paused and self.bytes <= self._most // 2:
            self._paused = False
            self._gate.resume(self._tp, INBOX)
        if not self._chunks and not self.closed:
            self.arrived.clear()
        return taken

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._chunks

    @property
    def since(self) -> float | None:
        """When the first of what waits came, None if nothing waits."""
        return self._chunks[0][0] if self._chunks else None

    @property
    def end(self) -> int:
        """The offset behind the last of what waits; 0 if nothing does."""
        return self._chunks[-1][1].end if self._chunks else 0

    @property
    def paused(self) -> bool:
        """Whether so much waits that nothing more comes."""
        return self._paused

    def close(self) -> None:
        """Nothing more comes, and what waits is dropped: whoever owns the partition next reads it again."""
        self._chunks.clear()
        self.bytes = 0
        self.closed = True
        self.arrived.set()
        self._more.set()

    async def wait(self, seconds: float) -> None:
        """Until something waits, the inbox is closed, or the time is over."""
        await _within(seconds, self.arrived)

    async def more(self, seconds: float) -> None:
        """Until something further arrives, the inbox is closed, or the time is over."""
        self._more.clear()
        await _within(seconds, self._more)


async def _within(seconds: float, event: asyncio.Event) -> None:
    if event.is_set():
        return
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


def cut_at(chunk: Chunk, most: int) -> tuple[Chunk, ...]:
    """Its first records, of at most so much memory but at least one, and the rest, if there is any."""
    ends = np.cumsum(np.maximum(chunk.values.spans()[2], 0) + _A_RECORD)
    row = max(int(np.searchsorted(ends, most, side="right")), 1)
    return (chunk,) if row >= len(chunk) else chunk.cut(int(chunk.offsets[row]))


def stamp_of(chunk: Chunk) -> int | None:
    """When its last record was written, by producer or broker: microseconds since 1970; None without records."""
    return int(chunk.timestamp[-1]) if len(chunk) else None


def weight(chunk: Chunk) -> int:
    """Bytes of the values, roughly."""
    return chunk.values.weight


def memory_of(chunk: Chunk) -> int:
    """Bytes that it takes while it waits, roughly: of short records more than their values."""
    return weight(chunk) + _A_RECORD * len(chunk)
