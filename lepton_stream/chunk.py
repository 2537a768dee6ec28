"""A chunk: one run of records of one source partition, the unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lepton_stream.columns import PADDING, Index


class SourcePartition(NamedTuple):
    """A partition of a source topic; for files, the file's place among the inputs is the partition."""

    topic: str
    partition: int


class Values:
    """The raw values of a chunk, byte for byte, as spans of one buffer or as byte strings, whichever came first.

    `length` is -1 where a record has no value at all (a Kafka tombstone).
    """

    __slots__ = ("_data", "_length", "_list", "_start", "_weight")

    def __init__(self, data: bytes, start: Index, length: Index) -> None:
        """`data`: a buffer with `PADDING` bytes behind the last span."""
        self._data: bytes | None = data
        self._start, self._length = start, length
        self._list: list[bytes | None] | None = None
        self._weight = -1

    @classmethod
    def from_list(cls, values: Sequence[bytes | None]) -> Values:
        """From byte strings; the buffer is only built when somebody asks for spans."""
        self = cls.__new__(cls)
        self._data, self._weight = None, -1
        self._list = list(values)
        return self

    def __len__(self) -> int:
        return len(self._list) if self._list is not None else len(self._start)

    def to_list(self) -> list[bytes | None]:
        """One byte string a record, None for a tombstone. Made once."""
        if self._list is None:
            data = self._data or b""
            spans = zip(self._start.tolist(), self._length.tolist(), strict=True)
            self._list = [data[a : a + n] if n >= 0 else None for a, n in spans]
        return self._list

    def spans(self) -> tuple[bytes, Index, Index]:
        """(data, start int64[n], length int64[n]). Made once."""
        if self._data is None:
            values = self._list or []
            try:
                present: list[bytes] = values  # type: ignore[assignment]
                self._length = np.fromiter(map(len, present), np.int64, len(values))
            except TypeError:  # tombstones: rare, so the common case pays nothing for them
                present = [v or b"" for v in values]
                self._length = np.fromiter((-1 if v is None else len(v) for v in values), np.int64, len(values))
            width = np.maximum(self._length, 0)
            self._start = np.cumsum(width) - width
            self._data = b"".join([*present, bytes(PADDING)])
        return self._data, self._start, self._length

    @property
    def weight(self) -> int:
        """Bytes of all values together. Counted once."""
        if self._weight < 0:
            self._weight = int(np.maximum(self.spans()[2], 0).sum())
        return self._weight

    def __getitem__(self, row: int) -> bytes | None:
        if self._list is not None:
            return self._list[row]
        a, n = int(self._start[row]), int(self._length[row])
        return None if n < 0 else (self._data or b"")[a : a + n]


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Records [start, end) of a source partition, in offset order.

    `offsets` int64[n] ascend and may have holes (transaction markers). `keys` and `headers` are what the record came
    with, None for files. `timestamp` int64[n], microseconds: the broker's, or the start of the run for files; event
    times are judged against it and against no clock. `end` may lie beyond the last record.
    """

    source: SourcePartition
    start: int
    end: int
    offsets: Index
    values: Values
    timestamp: Index
    keys: list[bytes | None] | None = None
    headers: Sequence[Sequence[tuple[str, bytes]]] | None = None

    def __len__(self) -> int:
        return len(self.offsets)

    def cut(self, at: int) -> tuple[Chunk, Chunk]:
        """The records before offset `at`, and those from it on; either may be empty."""
        at = min(max(at, self.start), self.end)
        row = int(np.searchsorted(self.offsets, at))
        return self._part(slice(None, row), self.start, at), self._part(slice(row, None), at, self.end)

    def _part(self, rows: slice, start: int, end: int) -> Chunk:
        if start == self.start and end == self.end:
            return self
        values = Values.from_list(self.values.to_list()[rows])
        keys = None if self.keys is None else self.keys[rows]
        headers = None if self.headers is None else self.headers[rows]
        return Chunk(self.source, start, end, self.offsets[rows], values, self.timestamp[rows], keys, headers)


def join(chunks: Sequence[Chunk]) -> Chunk:
    """Chunks that follow each other as one. Raises ValueError for none, or where one does not follow."""
    if not chunks or any(a.end != b.start for a, b in pairwise(chunks)):
        raise ValueError("join needs chunks that follow each other")
    if len(chunks) == 1:
        return chunks[0]
    values = Values.from_list([value for chunk in chunks for value in chunk.values.to_list()])
    keys = None if chunks[0].keys is None else [key for chunk in chunks for key in chunk.keys or []]
    headers = None if chunks[0].headers is None else [h for chunk in chunks for h in chunk.headers or []]
    offsets = np.concatenate([chunk.offsets for chunk in chunks])
    timestamp = np.concatenate([chunk.timestamp for chunk in chunks])
    return Chunk(chunks[0].source, chunks[0].start, chunks[-1].end, offsets, values, timestamp, keys, headers)
