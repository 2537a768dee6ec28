"""CSV records to columns: one line is one record, cells are typed strictly, a column at a time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

import numpy as np

from lepton_stream.chunk import Values
from lepton_stream.columns import Column, Columns, Mask, Numbers, is_valid, text_from_bytes
from lepton_stream.formats.csv_cells import CellReader
from lepton_stream.formats.csv_header import layout
from lepton_stream.formats.csv_lines import without_line_end
from lepton_stream.formats.csv_table import Cells, split_table
from lepton_stream.formats.csv_time import TimeParts, time_column
from lepton_stream.formats.decoder import Decoded, Reason, Reject
from lepton_stream.formats.gate import sift
from lepton_stream.formats.mending import DTYPES, mended_value, mends, missing, out_of_range, replace, wrong_type
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
        self._time = TimeParts(form.time) if form.time else None

    def decode(self, values: Values) -> Decoded:
        """Columns of the good records, one reject for each of the others. Raises nothing for what the bytes hold."""
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
            _reject_some(verdicts, bad, Reason.TIMESTAMP_INVALID, f"{field.name}: expected a date and time")
            return time_column(times, field, self._source.time_unit)
        place = self._layout.place.get(field.name)
        if place is None:
            return _all_missing(field, n)
        column, wrong, outside = self._readers[field.name].read(cells[place])
        return _settle(field, column, wrong, outside, verdicts)


def _settle(field: Field, column: Column, wrong: Mask | None, outside: Mask | None, verdicts: Verdicts) -> Column:
    """Reject or mend what is missing or of the wrong type."""
    if column.valid is None:
        return column
    of_type = np.zeros(len(column), np.bool_)
    for rows, (reason, detail) in ((wrong, wrong_type(field, "other text")), (outside, out_of_range(field))):
        if rows is not None:
            of_type |= rows
            column = _mend(field, column, rows, "type", verdicts, reason, detail)
    absent = ~is_valid(column) & ~of_type
    if field.required and absent.any():
        column = _mend(field, column, absent, "missing", verdicts, *missing(field))
    return column


def _mend(
    field: Field, column: Column, rows: Mask, rule: str, verdicts: Verdicts, reason: Reason, detail: str
) -> Column:
    if not mends(field):
        verdicts.reject(rows, reason, detail)
        return column
    verdicts.mend(rows, f"{field.name}.{rule}")
    return replace(column, rows, mended_value(field))


def _reject_some(verdicts: Verdicts, rows: Mask, reason: Reason, detail: str) -> None:
    if rows.any():
        verdicts.reject(rows, reason, detail)


def _all_missing(field: Field, n: int) -> Column:
    if field.type == "str":
        return text_from_bytes([None] * n)
    return Numbers(np.zeros(n, DTYPES[field.type]), np.zeros(n, np.bool_))
