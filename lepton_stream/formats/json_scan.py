"""JSON records through the compiled scanner; those that it leaves go the portable way and come back to their places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from types import ModuleType
from typing import Any

import numpy as np

from lepton_stream.chunk import Values
from lepton_stream.columns import Column, Columns, Index, Mask, Numbers, Octets, Text, is_valid, take_all
from lepton_stream.formats.decoder import Decoded, Reason, Reject
from lepton_stream.formats.depth import MAX_DEPTH
from lepton_stream.formats.mending import mends, missing, wrong_type
from lepton_stream.pipeline.plan import Field


class JsonScanner:
    """Decodes as `portable` does, with the functions that `lepton_stream.compiled.functions` holds."""

    def __init__(
        self, functions: ModuleType, fields: Sequence[Field], max_bytes: int, portable: Callable[[Values], Decoded]
    ) -> None:
        self._fields, self._max_bytes, self._portable = tuple(fields), max_bytes, portable
        self._scan: Callable[..., Any] = functions.scan_json
        self._sought = functions.json_fields([(f.name, f.type, not f.required, mends(f)) for f in self._fields])
        self._fault_of: Callable[[int], tuple[int, str]] = functions.fault_of
        self._told: dict[int, tuple[Reason, str]] = {}

    def decode(self, values: Values) -> Decoded:
        """As `JsonDecoder.decode`."""
        if self._sought is None:  # more fields than it can look for, or names that need escapes
            return self._portable(values)
        data, start, length = values.spans()
        found = self._scan(data, start, length, self._sought, self._max_bytes, MAX_DEPTH)
        faulty = np.flatnonzero(found.faults)
        left = np.flatnonzero(~found.taken & (found.faults == 0))
        columns = self._columns(found, data)
        rejects = self._rejects(faulty, found.faults[faulty])
        if not len(left) and not rejects:
            return Decoded(np.arange(len(start)), {name: _settled(c) for name, c in columns.items()}, [])
        rest = self._portable(values.pick(left))
        if rest.rejects:
            rejects += [Reject(row, r.reason, r.detail) for row, r in zip(_rows(left, rest), rest.rejects, strict=True)]
            rejects.sort(key=attrgetter("row"))
        back = left[rest.rows]
        keep: Mask = found.taken
        keep[back] = True
        columns = take_all(_with(columns, rest.columns, back), slice(None) if not rejects else keep)
        return Decoded(np.flatnonzero(keep), {n: _settled(c) for n, c in columns.items()}, rejects, rest.mended)

    def _rejects(self, rows: Index, faults: Index) -> list[Reject]:
        """Of records that are good objects with a field that is not there, or of another type."""
        return [Reject(row, *self._tell(fault)) for row, fault in zip(rows.tolist(), faults.tolist(), strict=True)]

    def _tell(self, fault: int) -> tuple[Reason, str]:
        told = self._told.get(fault)
        if told is None:
            number, got = self._fault_of(fault)
            field = self._fields[number]
            told = self._told[fault] = wrong_type(field, got) if got else missing(field)
        return told

    def _columns(self, found: Any, data: Octets) -> Columns:
        """A column of all records for each field; what it holds for a record that was not taken says nothing."""
        columns: Columns = {}
        row = 0
        for i, field in enumerate(self._fields):
            valid = None if field.required else (found.seen >> np.uint64(i)) & np.uint64(1) == 1
            values = found.cells[row]
            if field.type == "str":
                columns[field.name] = Text(data, values, found.cells[row + 1], valid)
            elif field.type == "float":
                columns[field.name] = Numbers(values.view(np.float64), valid)
            else:
                columns[field.name] = Numbers(values if field.type == "int" else values != 0, valid)
            row += 2 if field.type == "str" else 1
        return columns


def _rows(left: Index, rest: Decoded) -> list[int]:
    """Where the rejected records stand in the chunk."""
    return [int(left[reject.row]) for reject in rest.rejects]


def _with(columns: Columns, rest: Columns, rows: Index) -> Columns:
    """The columns with those of `rest` in these rows; their texts stand in one buffer behind the records."""
    if not len(rows):
        return columns
    buffers = [c.data for c in columns.values() if isinstance(c, Text)][:1]
    together: Columns = {}
    for name, column in columns.items():
        more = rest[name]
        valid = _valid_with(column, more, rows)
        if isinstance(column, Text) and isinstance(more, Text):
            column.start[rows], column.length[rows] = more.start + sum(map(len, buffers)), more.length
            buffers.append(more.data)
            together[name] = Text(column.data, column.start, column.length, valid)
        elif isinstance(column, Numbers) and isinstance(more, Numbers):
            column.values[rows] = more.values
            together[name] = Numbers(column.values, valid)
    data = np.concatenate(buffers) if buffers else None
    return {
        n: Text(data, c.start, c.length, c.valid) if isinstance(c, Text) and data is not None else c
        for n, c in together.items()
    }


def _valid_with(column: Column, more: Column, rows: Index) -> Mask | None:
    if column.valid is None and more.valid is None:
        return None
    valid = is_valid(column)
    valid[rows] = is_valid(more)
    return valid


def _settled(column: Column) -> Column:
    """Without a mask that says nothing."""
    if column.valid is None or not column.valid.all():
        return column
    if isinstance(column, Text):
        return Text(column.data, column.start, column.length)
    return Numbers(column.values)
