"""From a fetched run of records of one partition to chunks: pure functions of the bytes that the broker sent."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from aiokafka.errors import CorruptRecordException
from aiokafka.record._crecords import DefaultRecord, DefaultRecordBatch

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.columns import Index
from lepton_stream.runtime.kafka.batches import MAGIC, TRANSACTIONAL, Batch, batches, is_intact, uncompressed
from lepton_stream.runtime.kafka.codecs import TooLargeError
from lepton_stream.runtime.kafka.errors import UnreadableBatch

ABORT = 0
MICROSECONDS = 1000
RECORD_MINIMUM = 7
"""Bytes of the smallest record: a header that announces more records than its body can hold is broken."""


class Bounds(NamedTuple):
    """What one batch may hold once decompressed, and after how many bytes a chunk ends (at a batch's end)."""

    batch_bytes: int = 64 << 20
    batch_records: int = 1_000_000
    chunk_bytes: int = 2 << 20


BOUNDS = Bounds()


Headers: TypeAlias = Sequence[tuple[str, bytes]]
_NONE: Headers = ()


class Split(NamedTuple):
    """Records of several batches in offset order; all parts are n long, timestamps in milliseconds.

    `headers` is None where no record has any.
    """

    offsets: Index
    timestamps: Index
    keys: list[bytes | None]
    values: Values
    headers: list[Headers] | None


class Splitter(Protocol):
    """What cuts plain batches into records: Python objects now, a compiled one with spans later."""

    def split(self, plain: Sequence[bytes]) -> Split:
        """All records of these batches (uncompressed, no control batches). Raises CorruptRecordException."""
        ...


class RecordSplitter:
    """Splits with aiokafka's compiled reader; columns are picked by C-level iteration, no line of Python a record.

    One batch after the other, and no list for a record without headers: a million small objects alive at once would
    keep the garbage collector busier than all the rest.
    """

    def split(self, plain: Sequence[bytes]) -> Split:
        """See `Splitter`."""
        offsets, timestamps = list[Index](), list[int]()
        keys, values = list[bytes | None](), list[bytes | None]()
        headers: list[Headers] | None = None
        for batch in plain:
            records = list(DefaultRecordBatch(batch))
            own = list(map(attrgetter("headers"), records))
            if headers is None and any(own):
                headers = [_NONE] * len(values)
            if headers is not None:
                headers += own
            offsets.append(_offsets(batch, records))
            timestamps += map(attrgetter("timestamp"), records)
            keys += map(attrgetter("key"), records)
            values += map(attrgetter("value"), records)
        at = np.concatenate(offsets) if offsets else np.zeros(0, np.int64)
        return Split(at, np.array(timestamps, np.int64), keys, Values.from_list(values), headers)


def _offsets(batch: bytes, records: Sequence[DefaultRecord]) -> Index:
    """Offsets follow each other unless compaction took some out: then there are fewer records than offsets."""
    base, last = int.from_bytes(batch[:8]), int.from_bytes(batch[23:27])
    if last + 1 == len(records):
        return np.arange(base, base + len(records))
    return np.fromiter(map(attrgetter("offset"), records), np.int64, len(records))


class Run:
    """A fetched record set of one partition, given out as chunks that follow each other without a gap.

    `next` is the offset that the next chunk starts at; at first the offset that was asked for, which may lie inside a
    batch. `aborted`: (producer id, first offset) of transactions that the broker says were aborted; None reads all.
    """

    def __init__(
        self,
        source: SourcePartition,
        raw: bytes,
        start: int,
        aborted: Sequence[tuple[int, int]] | None = None,
        bounds: Bounds = BOUNDS,
        splitter: Splitter | None = None,
    ) -> None:
        self.source, self.next, self.bounds = source, start, bounds
        self._raw, self._batches = raw, batches(raw)
        self._splitter = splitter or RecordSplitter()
        self._aborting: set[int] = set()
        self._aborted = None if aborted is None else sorted(aborted, key=lambda a: a[1])

    def take(self) -> Chunk | None:
        """The next chunk, None at the end. It may hold no record and still move on (control and aborted batches).

        Raises UnreadableBatch; then this run has given out all that comes before the bad batch.
        """
        start, plain, size = self.next, list[bytes](), 0
        seen = False
        while size < self.bounds.chunk_bytes and (batch := next(self._batches, None)) is not None:
            if batch.next <= start:
                continue
            try:
                body = self._read(batch)
            except UnreadableBatch:
                if not seen:
                    raise
                # What came before it is good: it is given out first, the error comes with the next call.
                self._batches = batches(self._raw, batch.begin)
                break
            seen = True
            self.next = batch.next
            if body is not None:
                plain.append(body)
                size += len(body)
        return self._chunk(start, plain) if seen else None

    def _read(self, batch: Batch) -> bytes | None:
        """The plain batch, None if it holds nothing for us."""
        if batch.magic != MAGIC:
            raise self._bad(batch, f"message format {batch.magic} is older than Kafka 0.11 and not read")
        if not is_intact(self._raw, batch):
            raise self._bad(batch, "its checksum does not fit: it was damaged on disk or on the way")
        if batch.is_control or self._is_aborted(batch):
            self._end_transaction(batch)
            return None
        most = min(self.bounds.batch_records, self.bounds.batch_bytes // RECORD_MINIMUM)
        if not 0 <= batch.records <= most:
            raise self._bad(batch, f"it announces {batch.records} records, at most {most} are read")
        try:
            return uncompressed(self._raw, batch, self.bounds.batch_bytes)
        except TooLargeError:
            raise self._bad(batch, f"it decompresses to more than {self.bounds.batch_bytes} bytes") from None
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

    def _chunk(self, start: int, plain: list[bytes]) -> Chunk:
        try:
            split = self._splitter.split(plain)
        except (CorruptRecordException, UnicodeDecodeError, ValueError) as error:
            raise UnreadableBatch(self.source, start, self.next - 1, f"its records are broken: {error}") from None
        # A fetch that starts inside a batch brings the whole batch.
        low = int(np.searchsorted(split.offsets, start))
        values = Values.from_list(split.values.to_list()[low:]) if low else split.values
        return Chunk(
            source=self.source,
            start=start,
            end=self.next,
            offsets=split.offsets[low:],
            values=values,
            timestamp=split.timestamps[low:] * MICROSECONDS,
            keys=split.keys[low:],
            headers=None if split.headers is None else split.headers[low:],
        )

    def _bad(self, batch: Batch, reason: str) -> UnreadableBatch:
        return UnreadableBatch(self.source, batch.base, batch.next - 1, reason)
