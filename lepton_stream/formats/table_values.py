"""Rows of a Parquet or Arrow file as the values of a chunk: typed columns, and JSON only for who asks for bytes."""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from lepton_stream.chunk import Values
from lepton_stream.columns import Index, Octets, Text, concat, pack, take, to_list
from lepton_stream.formats.arrow_columns import GOOD, Read
from lepton_stream.formats.arrow_files import TableFile

if TYPE_CHECKING:
    import pyarrow as pa


_KEPT_BYTES = 16 * 1024 * 1024


class WholeRows:
    """Rows of one file with all their columns, read again for dead letters: cheap as long as few are asked for.

    The last batches are kept: with `--partitions` rows are asked for back and forth.
    """

    def __init__(self, file: TableFile, rename: dict[str, str]) -> None:
        self._file, self._rename = file, rename
        self._ends = list(accumulate(file.groups))
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._kept: deque[tuple[int, pa.RecordBatch]] = deque()  # (its first row, batch), ascending, without holes
        self._end = -1

    def row(self, row: int) -> dict[str, Any]:
        """The row of that number, its columns by the names that the plan has for them."""
        if not self._file.has_whole_rows:
            return {}
        if not self._kept or row < self._kept[0][0] or self._skips_a_group(row):
            self._start_at(row)
        while row >= self._end:
            self._read_on()
        first, batch = next(kept for kept in reversed(self._kept) if kept[0] <= row)
        part = batch.slice(row - first, 1)
        return {self._rename.get(n, n): _cell(c) for n, c in zip(part.schema.names, part.columns, strict=True)}

    def _skips_a_group(self, row: int) -> bool:
        return bisect_right(self._ends, row) > bisect_right(self._ends, max(self._end, 0))

    def _start_at(self, row: int) -> None:
        group = bisect_right(self._ends, row)
        self._batches = self._file.batches(first_group=group)
        self._kept.clear()
        self._end = self._ends[group - 1] if group else 0

    def _read_on(self) -> None:
        batch = next(self._batches)
        self._kept.append((self._end, batch))
        self._end += len(batch)
        while len(self._kept) > 1 and sum(kept.nbytes for _, kept in self._kept) > _KEPT_BYTES:
            self._kept.popleft()


def _cell(column: pa.Array) -> Any:
    try:
        return column.to_pylist()[0]
    except UnicodeDecodeError:
        return bytes(column.cast("binary")[0].as_py()).decode(errors="replace")
    except (ValueError, OverflowError):  # a moment that Python's datetime cannot hold
        return str(column.cast("int64")[0].as_py())


def _plain(value: object) -> object:
    """What JSON has no form for."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.total_seconds() if isinstance(value, timedelta) else str(value)


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Where rows come from: `of` int64[n]: which of `files`; `rows` int64[n]: the number of the row there."""

    files: tuple[WholeRows, ...]
    of: Index
    rows: Index

    def take(self, rows: Index | slice) -> Origin:
        """Of these rows."""
        return Origin(self.files, self.of[rows], self.rows[rows])

    def row(self, at: int) -> dict[str, Any]:
        """All columns of one of the rows."""
        return self.files[int(self.of[at])].row(int(self.rows[at]))


class TableValues(Values):
    """Typed columns under the plan's names, and where the rows come from.

    As bytes a row is a JSON object of all columns of the file, with the event time (field `time`) as the plan has it.
    """

    __slots__ = ("columns", "origin", "time")

    def __init__(self, columns: dict[str, Read], origin: Origin, time: str) -> None:
        self._data, self._list, self._weight = None, None, -1
        self.columns, self.origin, self.time = columns, origin, time

    def __len__(self) -> int:
        return len(self.origin.rows)

    def to_list(self) -> list[bytes | None]:
        """The JSON of each row. Made once; slow."""
        if self._list is None:
            self._list = [self.whole(row) for row in range(len(self))]
        return self._list

    def spans(self) -> tuple[Octets, Index, Index]:
        """Of the JSON of each row."""
        self.to_list()
        return super().spans()

    def part(self, rows: slice) -> TableValues:
        """Some of the rows."""
        return self._taken(rows)

    def pick(self, rows: Index) -> TableValues:
        """These rows."""
        return self._taken(rows)

    def _taken(self, rows: Index | slice) -> TableValues:
        columns = {
            name: Read(take(read.column, rows), None if read.status is None else read.status[rows])
            for name, read in self.columns.items()
        }
        return TableValues(columns, self.origin.take(rows), self.time)

    def packed(self) -> TableValues:
        """The same rows, their texts in buffers of their own."""
        columns = {
            name: Read(pack(read.column) if isinstance(read.column, Text) else read.column, read.status)
            for name, read in self.columns.items()
        }
        return TableValues(columns, self.origin, self.time)

    @property
    def in_spans(self) -> bool:
        """Never: these are columns."""
        return False

    def whole(self, row: int) -> bytes:
        """The JSON of the row, all columns in it."""
        members = self.origin.row(row)
        return self._json(row, members, (self.time,) if members else tuple(self.columns))

    def __getitem__(self, row: int) -> bytes | None:
        """The JSON of the columns at hand: the file is not asked."""
        return self._json(row, {}, tuple(self.columns)) if self._list is None else self._list[row]

    def _json(self, row: int, members: dict[str, Any], names: Sequence[str]) -> bytes:
        for name in names:
            read = self.columns[name]
            if read.status is None or read.status[row] == GOOD:
                members[name] = to_list(take(read.column, slice(row, row + 1)))[0]
        return orjson.dumps(members, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def joined(parts: Sequence[TableValues]) -> TableValues:
    """All rows, part after part."""
    files = {id(file): file for part in parts for file in part.origin.files}
    place = {file: i for i, file in enumerate(files)}
    of = [np.array([place[id(file)] for file in p.origin.files], np.int64)[p.origin.of] for p in parts]
    origin = Origin(tuple(files.values()), np.concatenate(of), np.concatenate([p.origin.rows for p in parts]))
    columns = {name: _joined([part.columns[name] for part in parts]) for name in parts[0].columns}
    return TableValues(columns, origin, parts[0].time)


def _joined(reads: Sequence[Read]) -> Read:
    column = concat([read.column for read in reads])
    if all(read.status is None for read in reads):
        return Read(column)
    status = [np.zeros(len(read.column), np.int8) if read.status is None else read.status for read in reads]
    return Read(column, np.concatenate(status))
