"""A chunk: one run of records of one source partition, the unit of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, TypeAlias, overload

import numpy as np

from lepton_stream.columns import PADDING, Index, Octets


class SourcePartition(NamedTuple):
    """A partition of a source topic; for files, the file's place among the inputs is the partition."""

    topic: str
    partition: int


Headers: TypeAlias = Sequence[tuple[str, bytes]]
NO_HEADERS: Headers = ()


class Values:
    """The raw values of a chunk, byte for byte, as spans of one buffer or as byte strings, whichever came first.

    `length` is -1 where a record has no value at all (a Kafka tombstone).
    """

    __slots__ = ("_data", "_length", "_list", "_start", "_weight")

    def __init__(self, data: bytes | Octets, start: Index, length: Index) -> None:
        """`data`: a buffer with `PADDING` bytes behind the last span."""
        self._data: Octets | None = data if isinstance(data, np.ndarray) else np.frombuffer(data, np.uint8)
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
            data, start, length = self.spans()
            low = int(start.min(initial=len(data)))
            whole = data[low : int((start + length).max(initial=low))].tobytes()
            spans = zip((start - low).tolist(), length.tolist(), strict=True)
            self._list = [whole[a : a + n] if n >= 0 else None for a, n in spans]
        return self._list

    def spans(self) -> tuple[Octets, Index, Index]:
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
            self._data = np.frombuffer(b"".join([*present, bytes(PADDING)]), np.uint8)
        return self._data, self._start, self._length

    def part(self, rows: slice) -> Values:
        """Some of the values, of the same buffer."""
        if self._data is None:
            return Values.from_list(self.to_list()[rows])
        return Values(self._data, self._start[rows], self._length[rows])

    def pick(self, rows: Index) -> Values:
        """The values of these rows, apart from the others' buffer."""
        if self._list is not None:
            return Values.from_list([self._list[row] for row in rows.tolist()])
        data, start, length = self.spans()
        spans = zip(start[rows].tolist(), length[rows].tolist(), strict=True)
        return Values.from_list([data[a : a + n].tobytes() if n >= 0 else None for a, n in spans])

    @property
    def in_spans(self) -> bool:
        """Whether `spans()` costs nothing."""
        return self._data is not None

    @property
    def weight(self) -> int:
        """Bytes of all values together. Counted once."""
        if self._weight < 0:
            self._weight = int(np.maximum(self.spans()[2], 0).sum())
        return self._weight

    def whole(self, row: int) -> bytes | None:
        """The value as its dead letter keeps it; where values are columns of a file, this one is fetched from there."""
        return self[row]

    def __getitem__(self, row: int) -> bytes | None:
        if self._list is not None:
            return self._list[row]
        data, start, length = self.spans()
        a, n = int(start[row]), int(length[row])
        return None if n < 0 else data[a : a + n].tobytes()


def chain(parts: Sequence[Values], beside: Sequence[Values] = ()) -> tuple[Values, Values | None]:
    """The values of all parts, one after the other; without a byte string a record if all are in spans.

    `beside`: further values, one for each part, mostly of the same buffers, which are then copied once for both.
    """
    if not all(part.in_spans for part in (*parts, *beside)):
        return _listed(parts), _listed(beside) if beside else None
    buffers = [part.spans()[0] for part in parts]
    data, shift = _glued(buffers)
    values = _moved(parts, data, shift)
    if not beside:
        return values, None
    if any(part.spans()[0] is not buffer for part, buffer in zip(beside, buffers, strict=True)):
        data, shift = _glued([part.spans()[0] for part in beside])
    return values, _moved(beside, data, shift)


def _listed(parts: Sequence[Values]) -> Values:
    return Values.from_list([value for part in parts for value in part.to_list()])


def _glued(buffers: Sequence[Octets]) -> tuple[Octets, list[int]]:
    """One buffer, and where each begins in it."""
    if all(buffer is buffers[0] for buffer in buffers):  # parts of one chunk that had been cut
        return buffers[0], [0] * len(buffers)
    return np.concatenate(buffers), np.cumsum([0, *map(len, buffers[:-1])]).tolist()


def _moved(parts: Sequence[Values], data: Octets, shift: Sequence[int]) -> Values:
    start = np.concatenate([part.spans()[1] + by for part, by in zip(parts, shift, strict=True)])
    return Values(data, start, np.concatenate([part.spans()[2] for part in parts]))


class _Chained(Sequence[Headers]):
    """Several sequences as one; nothing is read or copied before somebody asks for a row."""

    def __init__(self, parts: Sequence[Sequence[Headers]]) -> None:
        self._parts = parts
        self._ends = np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    @overload
    def __getitem__(self, row: int) -> Headers: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Headers]: ...
    def __getitem__(self, row: int | slice) -> Headers | Sequence[Headers]:
        if isinstance(row, slice):
            return [self[r] for r in range(*row.indices(len(self)))]
        part = int(np.searchsorted(self._ends, row, "right"))
        if row < 0 or part == len(self._parts):
            raise IndexError(row)  # ends an iteration
        return self._parts[part][row - int(self._ends[part]) + len(self._parts[part])]


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Records [start, end) of a source partition, in offset order.

    `offsets` int64[n] ascend and may have holes (transaction markers). `keys` and `headers` are what the record came
    with, None for files. `timestamp` int64[n], microseconds: the broker's, or the start of the run for files; event
    times are judged against it and against no clock. `end` may lie beyond the last record. `unread`: why, by offset, of
    rows that stand for a whole batch which was not opened; they have no value.
    """

    source: SourcePartition
    start: int
    end: int
    offsets: Index
    values: Values
    timestamp: Index
    keys: Values | None = None
    headers: Sequence[Headers] | None = None
    unread: Mapping[int, str] = field(default_factory=dict)

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
        keys = None if self.keys is None else self.keys.part(rows)
        headers = None if self.headers is None else self.headers[rows]
        values, offsets = self.values.part(rows), self.offsets[rows]
        unread = {at: why for at, why in self.unread.items() if start <= at < end}
        return Chunk(self.source, start, end, offsets, values, self.timestamp[rows], keys, headers, unread)


def join(chunks: Sequence[Chunk]) -> Chunk:
    """Chunks that follow each other as one. Raises ValueError for none, or where one does not follow."""
    if not chunks or any(a.end != b.start for a, b in pairwise(chunks)):
        raise ValueError("join needs chunks that follow each other")
    if len(chunks) == 1:
        return chunks[0]
    listed = [chunk.keys for chunk in chunks if chunk.keys is not None]
    values, keys = chain([chunk.values for chunk in chunks], listed if len(listed) == len(chunks) else ())
    headers = None
    if any(chunk.headers is not None for chunk in chunks):
        headers = _Chained([[NO_HEADERS] * len(c) if c.headers is None else c.headers for c in chunks])
    offsets = np.concatenate([chunk.offsets for chunk in chunks])
    timestamp = np.concatenate([chunk.timestamp for chunk in chunks])
    unread = {at: why for chunk in chunks for at, why in chunk.unread.items()}
    return Chunk(chunks[0].source, chunks[0].start, chunks[-1].end, offsets, values, timestamp, keys, headers, unread)
