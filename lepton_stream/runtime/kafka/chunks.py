"""From a fetched run of records of one partition to chunks: pure functions of the bytes that the broker sent."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from aiokafka.errors import CorruptRecordException
from aiokafka.record._crecords import DefaultRecordBatch

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.compiled import switch
from lepton_stream.runtime.kafka.batches import MAGIC, TRANSACTIONAL, Batch, batches, is_intact
from lepton_stream.runtime.kafka.codecs import TooLargeError
from lepton_stream.runtime.kafka.errors import OversizeBatch, UnreadableBatch
from lepton_stream.runtime.kafka.spans import SpanSplitter
from lepton_stream.runtime.kafka.splitters import RecordSplitter, Splitter

ABORT = 0
MICROSECONDS = 1000
RECORD_MINIMUM = 7
"""Bytes of the smallest record: a header that announces more records than its body can hold is broken."""


class Bounds(NamedTuple):
    """What one batch may hold once decompressed, and after how many bytes a chunk ends (at a batch's end)."""

    batch_bytes: int = 64 << 20
    batch_records: int = 1_000_000
    chunk_bytes: int = 4 << 20


BOUNDS = Bounds()


def new_splitter() -> Splitter:
    """The compiled one where the compiled path is in force."""
    functions = switch.current()
    return RecordSplitter() if functions is None else SpanSplitter(functions)


class Run:
    """A fetched record set of one partition, given out as chunks that follow each other without a gap.

    `next` is the offset that the next chunk starts at; at first the offset that was asked for, which may lie inside a
    batch. `aborted`: (producer id, first offset) of transactions that the broker says were aborted; None reads all.
    `pointing`: a batch above the bounds becomes a chunk with one row without a value (`Chunk.unread`), not an error.
    """

    def __init__(
        self,
        source: SourcePartition,
        raw: bytes,
        start: int,
        aborted: Sequence[tuple[int, int]] | None = None,
        bounds: Bounds = BOUNDS,
        splitter: Callable[[], Splitter] = new_splitter,
        *,
        pointing: bool = False,
    ) -> None:
        self.source, self.next, self.bounds, self._pointing = source, start, bounds, pointing
        self._raw, self._batches = raw, batches(raw)
        self._new_splitter = splitter
        self._aborting: set[int] = set()
        self._aborted = None if aborted is None else sorted(aborted, key=lambda a: a[1])

    def take(self) -> Chunk | None:
        """The next chunk, None at the end. It may hold no record and still move on (control and aborted batches).

        Raises UnreadableBatch; then this run has given out all that comes before the bad batch.
        """
        start, splitter, size = self.next, self._new_splitter(), 0
        seen = False
        while size < self.bounds.chunk_bytes and (batch := next(self._batches, None)) is not None:
            if batch.next <= start:
                continue
            try:
                size += self._read(batch, splitter)
            except UnreadableBatch as error:
                if not seen and self._pointing and isinstance(error, OversizeBatch):
                    return self._pointer(start, batch, error)
                if not seen:
                    raise
                # What came before it is good: it is given out first, the error comes with the next call.
                self._batches = batches(self._raw, batch.begin)
                break
            seen = True
            self.next = batch.next
        return self._chunk(start, splitter) if seen else None

    def _read(self, batch: Batch, splitter: Splitter) -> int:
        """Hand the batch to the splitter; its plain bytes, 0 if it holds nothing for us."""
        if batch.magic != MAGIC:
            raise self._bad(batch, f"message format {batch.magic} is older than Kafka 0.11 and not read")
        if not is_intact(self._raw, batch):
            raise self._bad(batch, "its checksum does not fit: it was damaged on disk or on the way")
        if batch.is_control or self._is_aborted(batch):
            self._end_transaction(batch)
            return 0
        most = min(self.bounds.batch_records, self.bounds.batch_bytes // RECORD_MINIMUM)
        if not 0 <= batch.records <= most:
            kind = OversizeBatch if batch.records > most else UnreadableBatch
            raise self._bad(batch, f"it announces {batch.records} records, at most {most} are read", kind)
        try:
            return splitter.add(self._raw, batch, self.bounds.batch_bytes)
        except TooLargeError:
            reason = f"it decompresses to more than {self.bounds.batch_bytes} bytes"
            raise self._bad(batch, reason, OversizeBatch) from None
        except ValueError as error:
            raise self._bad(batch, str(error)) from None

    def _is_aborted(self, batch: Batch) -> bool:
        if self._aborted is None:
            return False
        while self._aborted and self._aborted[0][1] <= batch.base:
            self._aborting.add(self._aborted.pop(0)[0])
        return bool(batch.attributes & TRANSACTIONAL) and batch.producer in self._aborting

    def _end_transaction(self, batch: Batch) -> None:
        """An abort marker closes the producer's transaction: what it sends next may count again."""
        if batch.is_control and batch.producer in self._aborting:
            marker = next(iter(DefaultRecordBatch(self._raw[batch.begin : batch.end])), None)
            if marker is not None and marker.key and struct.unpack_from(">hh", marker.key)[1] == ABORT:
                self._aborting.discard(batch.producer)

    def _chunk(self, start: int, splitter: Splitter) -> Chunk:
        try:
            split = splitter.split()
        except (CorruptRecordException, ValueError) as error:
            raise UnreadableBatch(self.source, start, self.next - 1, f"its records are broken: {error}") from None
        # A fetch that starts inside a batch brings the whole batch.
        rows = slice(int(np.searchsorted(split.offsets, start)), None)
        return Chunk(
            source=self.source,
            start=start,
            end=self.next,
            offsets=split.offsets[rows],
            values=split.values.part(rows),
            timestamp=split.timestamps[rows] * MICROSECONDS,
            keys=split.keys.part(rows),
            headers=None if split.headers is None else split.headers[rows],
        )

    def _pointer(self, start: int, batch: Batch, error: UnreadableBatch) -> Chunk:
        """One row for all of the batch, at its last offset: wherever a range is cut, the row is on the same side."""
        self.next = batch.next
        why = f"offsets {error.first} to {error.last}: {error.reason}; none of it was read"
        return Chunk(
            source=self.source,
            start=start,
            end=self.next,
            offsets=np.array([error.last]),
            values=Values.from_list([None]),
            timestamp=np.array([batch.max_ms * MICROSECONDS]),
            unread={error.last: why},
        )

    def _bad(self, batch: Batch, reason: str, kind: type[UnreadableBatch] = UnreadableBatch) -> UnreadableBatch:
        return kind(self.source, batch.base, batch.next - 1, reason)
