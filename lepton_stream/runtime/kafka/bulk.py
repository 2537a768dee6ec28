"""Many records without headers to batches, a column at a time: a tuple and a call a record would cost most of a feed.

Format of a record: https://kafka.apache.org/documentation/#record
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lepton_stream.chunk import SourcePartition
from lepton_stream.columns import Index
from lepton_stream.errors import LeptonError
from lepton_stream.runtime.kafka.batches import HEADER, MAGIC, sealed, with_body
from lepton_stream.runtime.kafka.compress import Builder, Compression
from lepton_stream.runtime.kafka.produce import BATCH_BYTES, Producer, first_of

_OVERHEAD = 24
"""Bytes of a record besides key and value, at most."""
_NONE = -1


class Bulk(NamedTuple):
    """Records of one partition, in order; all with the same time."""

    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    timestamp_ms: int


class BulkProducer(Producer):
    """A producer that also sends columns of records; the rules of `send_all` hold."""

    async def send_bulk(self, bulks: dict[SourcePartition, Bulk]) -> None:
        """Send all records, in order within each partition. Raises SendFailed; then nothing more goes out."""
        if self._failure is not None:
            raise self._failure
        try:
            async with asyncio.TaskGroup() as group:
                for tp, bulk in bulks.items():
                    group.create_task(self._send_bulk(tp, bulk))
        except* LeptonError as errors:
            self._failure = first_of(errors)
            await self._abandon()
        if self._failure is not None:
            raise self._failure

    async def _send_bulk(self, tp: SourcePartition, bulk: Bulk) -> None:
        for part in split(bulk, BATCH_BYTES):
            await self._send_batch(tp, Packed(part, self.compression))


class Packed(Builder):
    """A batch that is complete from the beginning."""

    def __init__(self, bulk: Bulk, compression: Compression) -> None:
        super().__init__(BATCH_BYTES, compression)
        self._bulk = bulk
        self._relative_offset = len(bulk.values)

    def _build(self) -> bytes:
        if self._packed is None:
            n, time = len(self._bulk.values), self._bulk.timestamp_ms
            header = HEADER.pack(0, 0, -1, MAGIC, 0, 0, n - 1, time, time, -1, -1, -1, n)
            codec, body = self._compression.compress(body_of(self._bulk.keys, self._bulk.values))
            self._packed = sealed(with_body(header, body, codec))
        return self._packed

    def size(self) -> int:
        """Bytes of the finished batch."""
        return len(self._build())


def split(bulk: Bulk, most: int) -> Iterator[Bulk]:
    """Runs of records of at most so many bytes; a record that is longer goes alone."""
    ends = np.cumsum(_lengths(bulk.keys).clip(0) + _lengths(bulk.values).clip(0) + _OVERHEAD)
    at = 0
    while at < len(ends):
        before = int(ends[at - 1]) if at else 0
        to = max(int(np.searchsorted(ends, before + most, side="right")), at + 1)
        yield Bulk(bulk.keys[at:to], bulk.values[at:to], bulk.timestamp_ms)
        at = to


def _lengths(data: Sequence[bytes | None]) -> Index:
    """int64[n], -1 where there is none."""
    if None not in data:
        return np.fromiter(map(len, data), np.int64, len(data))  # type: ignore[arg-type]
    return np.fromiter((_NONE if d is None else len(d) for d in data), np.int64, len(data))


def body_of(keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> bytes:
    """The records of a batch, without headers, all at the batch's first time."""
    n = len(values)
    key, value = _lengths(keys), _lengths(values)
    has_key, has_value = key.clip(0), value.clip(0)
    # Numbers are zigzag coded, so that -1, "none", takes one byte.
    coded = [np.zeros(n, np.int64), np.zeros(n, np.int64), np.arange(n) * 2, _zigzag(key), _zigzag(value)]
    widths = [_width(c) for c in coded]
    length = sum(widths) + has_key + has_value + 1
    coded.insert(0, _zigzag(length))
    widths.insert(0, _width(coded[0]))
    front, middle = _numbers(coded[:5], widths[:5]), _numbers(coded[5:], widths[5:])
    # What stands between the payloads: length, attributes, times, key length; value length; the count of headers.
    pieces: list[bytes] = [b""] * (5 * n)
    pieces[0::5], pieces[2::5], pieces[4::5] = front, middle, [b"\0"] * n
    pieces[1::5] = _present(keys)
    pieces[3::5] = _present(values)
    return b"".join(pieces)


def _present(data: Sequence[bytes | None]) -> list[bytes]:
    return [d or b"" for d in data]


def _zigzag(numbers: Index) -> Index:
    return (numbers << 1) ^ (numbers >> 63)


def _width(coded: Index) -> Index:
    """Bytes that each number takes, seven bits a byte."""
    return 1 + (coded >= 1 << 7) + (coded >= 1 << 14) + (coded >= 1 << 21) + (coded >= 1 << 28).astype(np.int64)


def _numbers(coded: list[Index], widths: list[Index]) -> list[bytes]:
    """For each row the bytes of its numbers, one after the other."""
    total: Any = sum(widths)
    ends = np.cumsum(total)
    out: NDArray[np.uint8] = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    at = ends - total
    for number, width in zip(coded, widths, strict=True):
        for i in range(int(width.max(initial=0))):
            rows = np.flatnonzero(width > i)
            more = np.where(width[rows] > i + 1, 0x80, 0)
            out[at[rows] + i] = (number[rows] >> (7 * i) & 0x7F) | more
        at = at + width
    data = out.tobytes()
    return [data[a:b] for a, b in zip((ends - total).tolist(), ends.tolist(), strict=True)]
