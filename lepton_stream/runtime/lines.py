"""The source partitions of a local run: whose chunk is next, read and cleaned before it is its turn.

Everything here may run in a thread of its own (`ahead`): it needs nothing of what the counting does.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.core import Cleaned, Job, SourceState, clean_ahead
from lepton_stream.runtime.inputs import Input
from lepton_stream.runtime.stopwatch import Stopwatch
from lepton_stream.windows.watermark import NEVER

READ, DECODE, CLEAN = "read", "decode", "clean"
"""The stages that are done here."""


@dataclass(slots=True)
class Line:
    """One source partition on its way.

    `reading`: the job as it is timed here. `long`: the true lengths of records that were cut, by offset. `high`: the
    highest event time of what was read; `next`: behind the last chunk that was counted.
    """

    source: SourcePartition
    job: Job
    reading: Job
    state: SourceState
    long: dict[int, int]
    next: int = 0
    high: int = NEVER


class Step(NamedTuple):
    """A chunk with what was made of it; None and None: this source has ended."""

    line: Line
    chunk: Chunk | None
    cleaned: Cleaned | None


class Feed:
    """Makes steps; `watch` times them, in the thread that iterates."""

    def __init__(self, watch: Stopwatch) -> None:
        self.watch = watch

    def by_time(self, lines: list[Line], inputs: list[Input]) -> Generator[Step]:
        """Each time a chunk of the input that is behind the others in event time."""
        self.watch.begin()
        waiting = [(line, iter(given)) for line, given in zip(lines, inputs, strict=True)]
        while waiting:
            at = min(range(len(waiting)), key=lambda i: (waiting[i][0].high, i))
            line, chunks = waiting[at]
            chunk = next(chunks, None)
            if chunk is None:
                del waiting[at]
                yield Step(line, None, None)
            else:
                yield self._cleaned(line, chunk)

    def in_turn(self, chunks: Iterable[tuple[Line, Chunk]]) -> Generator[Step]:
        """In the order in which they come."""
        self.watch.begin()
        for line, chunk in chunks:
            yield self._cleaned(line, chunk)

    def _cleaned(self, line: Line, chunk: Chunk) -> Step:
        self.watch.lap(READ)
        cleaned = clean_ahead(line.reading, chunk)
        line.high = int(cleaned.time.max(initial=line.high))
        return Step(line, chunk, cleaned)
