"""CSV records to columns: one line is one record, cells are typed strictly, a column at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import compress
from types import ModuleType

import numpy as np

from lepton_stream.chunk import Values
from lepton_stream.columns import Column, Columns
from lepton_stream.compiled import switch
from lepton_stream.formats.csv_cells import CellReader
from lepton_stream.formats.csv_header import layout
from lepton_stream.formats.csv_lines import without_line_end
from lepton_stream.formats.csv_scan import CsvForm, CsvScanner
from lepton_stream.formats.csv_table import Cells, split_table
from lepton_stream.formats.csv_time import TimeParts, time_column
from lepton_stream.formats.decoder import Decoded, Reason, Reject
from lepton_stream.formats.gate import sift
from lepton_stream.formats.settling import all_missing, reject_some, settle, without_idle_mask
from lepton_stream.formats.verdicts import Verdicts
from lepton_stream.pipeline.plan import Field, FileForm, Source


class CsvDecoder:
    """Decodes CSV lines into a column for each plan field, in the order of `fields`."""

    def __init__(self, source: Source, fields: Sequence[Field], form: FileForm, header: Sequence[str] = ()) -> None:
        """`header`: the file's column names; without it `form.columns`. Raises PlanError if they do not fit."""
        self._source, self._form = source, form
        self._fields = tuple(fields)
        self._layout = layout(header or form.columns, self._fields, form, source.time)
        self._delimiter = form.delimiter.encode()
        nulls = frozenset(word.encode() for word in form.null)
        self._readers = {f.name: CellReader(f.type, nulls) for f in self._fields}
        self._nulls = nulls
        self._time = TimeParts(form.time) if form.time else None
        self._scanner: CsvScanner | None = None

    def decode(self, values: Values) -> Decoded:
        """Columns of the good records, one reject for each of the others. Raises nothing for what the bytes hold."""
        functions = switch.current()
        decoded = self._portable(values) if functions is None else self._scanned(functions, values)
        return replace(decoded, columns={name: without_idle_mask(c) for name, c in decoded.columns.items()})

    def _scanned(self, functions: ModuleType, values: Values) -> Decoded:
        if self._scanner is None:
            form = CsvForm(self._source, self._layout, self._delimiter, sorted(self._nulls), self._time)
            self._scanner = CsvScanner(functions, self._fields, form, self._portable)
        return self._scanner.decode(values)

    def _portable(self, values: Values) -> Decoded:
        passed, rejects = sift(values, self._source.max_record_bytes)
        rows = np.flatnonzero(passed)
        lines = [without_line_end(v or b"") for v in compress(values.to_list(), passed.tolist())]
        fits, cells, errors = split_table(lines, self._delimiter, self._layout.width)
        rejects += [Reject(int(rows[at]), Reason.DECODE_ERROR, error) for at, error in errors.items()]
        rejects.sort(key=lambda r: r.row)
        rows = rows[fits]
        verdicts = Verdicts(len(rows))
        columns: Columns = {f.name: self._column(f, cells, len(rows), verdicts) for f in self._fields}
        return verdicts.apply(Decoded(rows, columns, rejects), columns)

    def unlisted(self, value: bytes) -> tuple[str, ...]:
        """Columns of the file that no plan field is read from: the same for every record."""
        return self._layout.unused

    def _column(self, field: Field, cells: Cells, n: int, verdicts: Verdicts) -> Column:
        if self._time and field.name == self._source.time:
            times, bad = self._time.read([cells[i] for i in self._layout.time])
            reject_some(verdicts, bad, Reason.TIMESTAMP_INVALID, f"{field.name}: expected a date and time")
            return time_column(times, field, self._source.time_unit)
        place = self._layout.place.get(field.name)
        if place is None:
            return all_missing(field, n)
        column, wrong, outside = self._readers[field.name].read(cells[place])
        return settle(field, column, wrong, outside, verdicts)
