"""CSV records through the compiled scanner; those that it leaves go the portable way and come back to their places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from lepton_stream.chunk import Values
from lepton_stream.columns import Column, Index, Numbers, Octets, Text, is_valid
from lepton_stream.formats.csv_header import Layout
from lepton_stream.formats.csv_time import TimeParts, time_column
from lepton_stream.formats.decoder import Decoded, Reason, Reject
from lepton_stream.formats.settling import all_missing, reject_some, settle
from lepton_stream.formats.verdicts import Verdicts
from lepton_stream.pipeline.plan import Field, Source


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How lines are read, as `CsvDecoder` has worked it out."""

    source: Source
    layout: Layout
    delimiter: bytes
    nulls: Sequence[bytes]
    time: TimeParts | None


class CsvScanner:
    """Decodes as `portable` does, with the functions that `lepton_stream.compiled.functions` holds."""

    def __init__(
        self,
        functions: ModuleType,
        fields: Sequence[Field],
        form: CsvForm,
        portable: Callable[[Values], Decoded],
    ) -> None:
        self._fields, self._form, self._portable = tuple(fields), form, portable
        self._scan: Callable[..., Any] = functions.scan_csv
        uses = sorted(self._uses(), key=lambda use: use[0])
        self._read = {whose: (i, kind) for i, (_, kind, _, whose) in enumerate(uses)}
        sought = [use[:3] for use in uses]
        self._table = functions.csv_table(sought, form.layout.width, form.delimiter, form.nulls)

    def _uses(self) -> list[tuple[int, str, bool, str | int]]:
        """(column, type, whether null words count, whose: a field's name, or the number of a part of the time)."""
        form = self._form
        place = form.layout.place
        named: list[tuple[int, str, bool, str | int]]
        named = [(place[f.name], f.type, True, f.name) for f in self._fields if f.name in place]
        if form.time is None or not any(f.name == form.source.time for f in self._fields):
            return named
        parts = enumerate(zip(form.layout.time, form.time.kinds, strict=True))
        return [*named, *((column, kind, False, i) for i, (column, kind) in parts)]

    def decode(self, values: Values) -> Decoded:
        """As `CsvDecoder.decode`."""
        if self._table is None:
            return self._portable(values)
        data, start, length = values.spans()
        found = self._scan(data, start, length, self._table, self._form.source.max_record_bytes)
        verdicts = Verdicts(len(start))
        columns = {f.name: self._column(f, found, data, verdicts) for f in self._fields}
        left = np.flatnonzero(~found.taken)
        if not len(left):
            return verdicts.apply(Decoded(np.arange(len(start)), columns, []), columns)
        rest = self._portable(values.pick(left))
        rejects = [Reject(int(left[r.row]), r.reason, r.detail) for r in rest.rejects]
        gone = ~found.taken
        gone[left[rest.rows]] = False
        verdicts.drop(gone)
        columns = {name: _with(c, rest.columns[name], left[rest.rows]) for name, c in columns.items()}
        return verdicts.apply(Decoded(np.arange(len(start)), columns, rejects, rest.mended), columns)

    def _column(self, field: Field, found: Any, data: Octets, verdicts: Verdicts) -> Column:
        """Of all records; what it holds for one that was not taken says nothing, and gets no verdict."""
        form, n = self._form, len(found.taken)
        if form.time is not None and field.name == form.source.time:
            times, bad = form.time.read_columns([self._cells(i, found, data) for i in range(len(form.layout.time))])
            bad &= found.taken
            reject_some(verdicts, bad, Reason.TIMESTAMP_INVALID, f"{field.name}: expected a date and time")
            return time_column(times, field, form.source.time_unit)
        if field.name not in self._read:
            return all_missing(field, n)
        return settle(field, self._cells(field.name, found, data), None, None, verdicts)

    def _cells(self, whose: str | int, found: Any, data: Octets) -> Column:
        use, kind = self._read[whose]
        row = int(self._table.uses[use, 2])
        seen = (found.seen >> np.uint64(use)) & np.uint64(1) == 1
        valid = seen | ~found.taken
        mask = None if valid.all() else valid
        values = found.cells[row]
        if kind == "str":
            return Text(data, np.where(seen, values, 0), np.where(seen, found.cells[row + 1], 0), mask)
        if kind == "float":
            return Numbers(values.view(np.float64), mask)
        return Numbers(values if kind == "int" else values != 0, mask)


def _with(column: Column, more: Column, rows: Index) -> Column:
    """The column with the values of `more` in these rows."""
    if not len(rows):
        return column
    valid = None
    if column.valid is not None or more.valid is not None:
        valid = is_valid(column).copy()
        valid[rows] = is_valid(more)
    if isinstance(column, Text) and isinstance(more, Text):
        start, length = column.start.copy(), column.length.copy()
        start[rows], length[rows] = more.start + len(column.data), more.length
        return Text(np.concatenate([column.data, more.data]), start, length, valid)
    assert isinstance(column, Numbers)
    assert isinstance(more, Numbers)
    values = column.values.copy()
    values[rows] = more.values
    return Numbers(values, valid)
