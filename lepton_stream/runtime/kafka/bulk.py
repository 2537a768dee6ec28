"""Many records to batches, a column at a time: a tuple and a call a record would cost most of a feed.

Format of a record: https://kafka.apache.org/documentation/#record
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Index
from lepton_stream.runtime.kafka.batches import HEADER, MAGIC, sealed, with_body
from lepton_stream.runtime.kafka.codecs import Codec
from lepton_stream.runtime.kafka.compress import Builder, Compressing

NO_HEADERS = b"\0"
"""The headers of a record that has none: their count."""
_OVERHEAD = 24
"""Bytes of a record besides key, value and headers, at most."""
_NONE = -1
_NO_PRODUCER = (-1, -1, -1)


class Bulk(NamedTuple):
    """Records of one partition, in order; `timestamp_ms`: of all of them, or of each, int64[n].

    `headers`: what stands for them in the format, see `packed_headers`; None: no record has any.
    """

    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    timestamp_ms: int | Index
    headers: Sequence[bytes] | None = None

    def part(self, rows: slice) -> Bulk:
        """Some of the records."""
        headers = None if self.headers is None else self.headers[rows]
        time = self.timestamp_ms if isinstance(self.timestamp_ms, int) else self.timestamp_ms[rows]
        return Bulk(self.keys[rows], self.values[rows], time, headers)

    @property
    def times(self) -> tuple[int, int]:
        """(of the first record, the latest)."""
        if isinstance(self.timestamp_ms, int):
            return self.timestamp_ms, self.timestamp_ms
        return int(self.timestamp_ms[0]), int(self.timestamp_ms.max())


class Framed(NamedTuple):
    """So many records of one partition, already in the format, for one batch; all with the same time."""

    records: bytes
    number: int
    timestamp_ms: int

    @property
    def times(self) -> tuple[int, int]:
        """(of the first record, the latest)."""
        return self.timestamp_ms, self.timestamp_ms


class Packed(Builder):
    """A batch that is complete from the beginning; a producer may still sign it."""

    def __init__(self, given: Bulk | Framed, most: int, compression: Compressing) -> None:
        super().__init__(most, compression)
        self._given = given
        self._relative_offset = given.number if isinstance(given, Framed) else len(given.values)
        self._signed = _NO_PRODUCER
        self._packed_body: tuple[Codec, bytes] | None = None

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._signed, self._packed = (producer_id, producer_epoch, base_sequence), None

    def _build(self) -> bytes:
        if self._packed is None:
            given, n = self._given, self._relative_offset
            if self._packed_body is None:
                self._packed_body = self._compression.compress(
                    given.records if isinstance(given, Framed) else body_of(given)
                )
            codec, body = self._packed_body
            header = HEADER.pack(0, 0, -1, MAGIC, 0, 0, n - 1, *given.times, *self._signed, n)
            self._packed = sealed(with_body(header, body, codec))
        return self._packed

    def size(self) -> int:
        """Bytes of the finished batch."""
        return len(self._build())


def split(bulk: Bulk, most: int) -> Iterator[Bulk]:
    """Runs of records of at most so many bytes; a record that is longer goes alone."""
    size = _lengths(bulk.keys).clip(0) + _lengths(bulk.values).clip(0) + _OVERHEAD
    ends = np.cumsum(size if bulk.headers is None else size + _lengths(bulk.headers))
    at = 0
    while at < len(ends):
        before = int(ends[at - 1]) if at else 0
        to = max(int(np.searchsorted(ends, before + most, side="right")), at + 1)
        yield bulk.part(slice(at, to))
        at = to


def _lengths(data: Sequence[bytes | None]) -> Index:
    """int64[n], -1 where there is none."""
    if None not in data:
        return np.fromiter(map(len, data), np.int64, len(data))  # type: ignore[arg-type]
    return np.fromiter((_NONE if d is None else len(d) for d in data), np.int64, len(data))


def packed_name(name: str) -> bytes:
    """A header's name, as it stands in a record."""
    data = name.encode(errors="replace")
    return packed_number(len(data)) + data


def packed_value(data: bytes | None) -> bytes:
    """A header's value, as it stands in a record."""
    return packed_number(_NONE) if data is None else packed_number(len(data)) + data


def packed_headers(headers: Sequence[tuple[str, bytes | None]], more: int = 0) -> bytes:
    """Headers as they stand in a record, from their count on; `more` are counted that who calls puts behind them."""
    packed = b"".join([packed_name(name) + packed_value(value) for name, value in headers])
    return packed_number(len(headers) + more) + packed


def packed_number(value: int) -> bytes:
    """Zigzag coded, seven bits a byte."""
    coded, out = (value << 1) ^ (value >> 63), bytearray()
    while coded >= 1 << 7:
        out.append(coded & 0x7F | 0x80)
        coded >>= 7
    out.append(coded)
    return bytes(out)


def body_of(bulk: Bulk) -> bytes:
    """The records of a batch."""
    keys, values, headers = bulk.keys, bulk.values, bulk.headers
    n = len(values)
    key, value = _lengths(keys), _lengths(values)
    more = 1 if headers is None else _lengths(headers)
    later = np.zeros(n, np.int64) if isinstance(bulk.timestamp_ms, int) else bulk.timestamp_ms - bulk.times[0]
    has_key, has_value = key.clip(0), value.clip(0)
    # Numbers are zigzag coded, so that -1, "none", takes one byte.
    coded = [np.zeros(n, np.int64), _zigzag(later), np.arange(n) * 2, _zigzag(key), _zigzag(value)]
    widths = [_width(c) for c in coded]
    length = sum(widths) + has_key + has_value + more
    coded.insert(0, _zigzag(length))
    widths.insert(0, _width(coded[0]))
    front, middle = _numbers(coded[:5], widths[:5]), _numbers(coded[5:], widths[5:])
    # What stands between the payloads: length, attributes, times, key length; value length; the headers.
    pieces: list[bytes] = [b""] * (5 * n)
    pieces[0::5], pieces[2::5], pieces[4::5] = front, middle, [NO_HEADERS] * n if headers is None else headers
    pieces[1::5] = _present(keys)
    pieces[3::5] = _present(values)
    return b"".join(pieces)


def _present(data: Sequence[bytes | None]) -> list[bytes]:
    return [d or b"" for d in data]


def _zigzag(numbers: Index) -> Index:
    return (numbers << 1) ^ (numbers >> 63)


def _width(coded: Index) -> Index:
    """Bytes that each number takes, seven bits a byte."""
    width = np.ones(len(coded), np.int64)
    limit, most = 1 << 7, int(coded.max(initial=0))
    while limit <= most:
        width += coded >= limit
        limit <<= 7
    return width


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
