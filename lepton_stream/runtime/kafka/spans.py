"""Record batches to records without a Python object for each: the compiled functions cut one buffer into spans."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, overload

from lepton_stream.chunk import NO_HEADERS, Headers, Values
from lepton_stream.runtime.kafka.arena import Arena
from lepton_stream.runtime.kafka.batches import APPEND_TIME, CODEC_MASK, HEADER, Batch, with_body
from lepton_stream.runtime.kafka.codecs import Codec
from lepton_stream.runtime.kafka.splitters import Split, split

_ARENA = 9 << 20
"""Bytes of the largest usual chunk (`memory/shares.py`) and the batch that ends it."""


class SpanSplitter:
    """A `Splitter`. Batches that are not plainly right go to the portable reader: it says what is wrong with them."""

    def __init__(self, functions: ModuleType) -> None:
        self._functions: Any = functions
        self._arena = Arena(_ARENA)
        self._bodies: list[Any] = []
        self._headers: list[bytes] = []

    def add(self, raw: bytes, batch: Batch, bound: int) -> int:
        """See `Splitter`."""
        first = batch.begin + HEADER.size
        begin = self._arena.used
        data = memoryview(raw)[first : batch.end]
        size = self._arena.decompress(batch.attributes & CODEC_MASK, data, bound)
        dense, appended = batch.last + 1 == batch.records, bool(batch.attributes & APPEND_TIME)
        times = batch.first_ms, batch.max_ms, appended
        self._bodies.append(self._functions.Body(begin, begin + size, batch.records, batch.base, dense, *times))
        self._headers.append(raw[batch.begin : first])
        return HEADER.size + size

    def split(self) -> Split:
        """See `Splitter`."""
        data = self._arena.data
        cut = self._functions.split_records(data, self._bodies)
        if cut is None:
            bodies = (data[body.begin : body.end].tobytes() for body in self._bodies)
            return split([with_body(h, body, Codec.NONE) for h, body in zip(self._headers, bodies, strict=True)])
        keys, values = Values(data, cut.key, cut.key_length), Values(data, cut.value, cut.value_length)
        headers = Values(data, cut.headers, cut.headers_length) if cut.headers_length.any() else None
        return Split(cut.offset, cut.time_ms, keys, values, None if headers is None else SpanHeaders(headers))


class SpanHeaders(Sequence[Headers]):
    """Headers of records, read when somebody asks for them; that they can be read has been checked."""

    def __init__(self, raw: Values) -> None:
        self._raw = raw

    def __len__(self) -> int:
        return len(self._raw)

    @overload
    def __getitem__(self, row: int) -> Headers: ...
    @overload
    def __getitem__(self, row: slice) -> SpanHeaders: ...
    def __getitem__(self, row: int | slice) -> Headers | SpanHeaders:
        if isinstance(row, slice):
            return SpanHeaders(self._raw.part(row))
        return read_headers(self._raw[row] or b"")


def read_headers(raw: bytes) -> Headers:
    """The headers of a record, from their count on."""
    if not raw:
        return NO_HEADERS
    count, at = _varint(raw, 0)
    headers = []
    for _ in range(count):
        n, at = _varint(raw, at)
        name, at = raw[at : at + n].decode(), at + n
        n, at = _varint(raw, at)
        headers.append((name, raw[at : at + n] if n >= 0 else None))
        at += max(n, 0)
    return headers  # type: ignore[return-value]  # a header without a value is told as aiokafka tells it


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """(a zigzag number, where it ends)."""
    value, shift = 0, 0
    while raw[at] & 0x80:
        value |= (raw[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    value |= raw[at] << shift
    return (value >> 1) ^ -(value & 1), at + 1
