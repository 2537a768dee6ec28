"""Rows of Parquet and Arrow files to columns: which file column each field comes from, and verdicts on their values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lepton_stream.chunk import Values
from lepton_stream.columns import Column, Mask
from lepton_stream.errors import PlanError, Problem
from lepton_stream.formats import arrow_columns as arrow
from lepton_stream.formats.arrow_columns import Read, Reader
from lepton_stream.formats.arrow_files import TableFile
from lepton_stream.formats.csv_header import layout
from lepton_stream.formats.csv_time import TimeParts, time_column
from lepton_stream.formats.decoder import Decoded, Decoder, Reason
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.formats.mending import WISH
from lepton_stream.formats.settling import all_missing, reject_some, settle, without_idle_mask
from lepton_stream.formats.table_values import Origin, TableValues, WholeRows
from lepton_stream.formats.verdicts import Verdicts
from lepton_stream.pipeline.plan import Field, Plan, Source

if TYPE_CHECKING:
    import pyarrow as pa


class TableReader:
    """Reads the columns that the plan's fields come from, batch by batch."""

    def __init__(self, file: TableFile, plan: Plan) -> None:
        """Raises PlanError where columns are absent or of the wrong type, all told at once."""
        self._file, self._source = file, plan.source
        form = plan.source.file
        names = list(file.schema.names)
        self._layout = layout(names, plan.fields, form, plan.source.time)
        self.unused = self._layout.unused
        self._whole = WholeRows(file, dict(form.rename))
        fields = [f for f in plan.fields if f.name in self._layout.place]
        self._time = TimeParts(form.time) if form.time else None
        if self._time:
            fields = [f for f in fields if f.name != plan.source.time]
        self._time_field = plan.field_named(plan.source.time)
        made = [Field(f"part {i}", kind) for i, kind in enumerate(self._time.kinds)] if self._time else []
        columns = [*(names[self._layout.place[f.name]] for f in fields), *(names[i] for i in self._layout.time)]
        self._columns = list(dict.fromkeys(columns))
        self._readers = self._fitting([*fields, *made], columns)

    def _fitting(self, fields: Sequence[Field], columns: Sequence[str]) -> list[tuple[str, str, Reader]]:
        """(field's name, column, what reads it)."""
        readers, problems = list[tuple[str, str, Reader]](), list[Problem]()
        for field, column in zip(fields, columns, strict=True):
            kind = self._file.schema.field(column).type
            reader = arrow.reader_of(kind, field, self._source)
            if reader is None:
                problems.append(_misfit(field, column, kind))
            else:
                readers.append((field.name, column, reader))
        if problems:
            raise PlanError("the file's columns do not fit the plan", problems)
        return readers

    def batches(self) -> Iterator[TableValues]:
        """The rows of the file, once."""
        done = 0
        for batch in self._file.batches(self._columns):
            rows = np.arange(done, done + len(batch))
            done += len(batch)
            if len(batch):
                origin = Origin((self._whole,), np.zeros(len(rows), np.int64), rows)
                yield TableValues(self._read(batch), origin, self._source.time)

    def _read(self, batch: pa.RecordBatch) -> dict[str, Read]:
        reads = {name: reader(batch.column(column)) for name, column, reader in self._readers}
        if self._time is None:
            return reads
        parts = [reads.pop(f"part {i}") for i in range(len(self._layout.time))]
        times, bad = self._time.read_columns([part.column for part in parts])
        column = time_column(times, self._time_field, self._source.time_unit)
        status = np.where(bad, arrow.NO_TIME, arrow.GOOD).astype(np.int8) if bad.any() else None
        return {**reads, self._source.time: Read(column, status)}


def _misfit(field: Field, column: str, kind: object) -> Problem:
    fits = arrow.type_for(kind)
    if field.name.startswith("part "):
        return Problem(
            "source.file.time.columns", f'"{column}"', f"expects {WISH[field.type]}, the column holds {kind}"
        )
    wish = (
        f"the file's column {json.dumps(column, ensure_ascii=False)} holds {kind}, the plan expects {WISH[field.type]}"
    )
    return Problem(f"fields.{field.name}.type", f'"{field.type}"', wish, json.dumps(fits) if fits else "")


class TableDecoder:
    """Verdicts on rows of such files; rows that come as bytes are read as the JSON that they were written in."""

    def __init__(self, source: Source, fields: Sequence[Field], unused: Sequence[str] = ()) -> None:
        self._source, self._fields, self._unused = source, tuple(fields), tuple(unused)
        self._json: Decoder = JsonDecoder(source, fields)

    def decode(self, values: Values) -> Decoded:
        """Columns of the good rows, one reject for each of the others."""
        if not isinstance(values, TableValues):
            return self._json.decode(values)
        n, verdicts = len(values), Verdicts(len(values))
        reads = {f.name: values.columns.get(f.name) or Read(all_missing(f, n)) for f in self._fields}
        for name, read in reads.items():
            self._reject_unreadable(name, read, verdicts)
        columns = {f.name: self._settled(f, reads[f.name], verdicts) for f in self._fields}
        decoded = verdicts.apply(Decoded(np.arange(n), columns, []), columns)
        columns = {name: without_idle_mask(column) for name, column in decoded.columns.items()}
        return Decoded(decoded.rows, columns, decoded.rejects, decoded.mended)

    def unlisted(self, value: bytes) -> tuple[str, ...]:
        """Columns of the file that no plan field is read from: the same for every record."""
        return self._unused

    def _reject_unreadable(self, name: str, read: Read, verdicts: Verdicts) -> None:
        if read.status is None:
            return
        most = f"{name}: expected at most {self._source.max_record_bytes} bytes"
        wish = f"{name}: expected a time in years 0001 to 9999"
        reject_some(verdicts, read.status == arrow.TOO_LARGE, Reason.TOO_LARGE, most)
        reject_some(verdicts, read.status == arrow.NOT_UTF8, Reason.DECODE_ERROR, f"{name}: not UTF-8")
        reject_some(verdicts, read.status == arrow.NO_TIME, Reason.TIMESTAMP_INVALID, wish)

    def _settled(self, field: Field, read: Read, verdicts: Verdicts) -> Column:
        if read.status is None:
            return settle(field, read.column, None, None, verdicts)
        wrong, outside = read.status == arrow.WRONG, read.status == arrow.OUT_OF_RANGE
        told = "a number that is not finite"
        return settle(field, read.column, _some(wrong), _some(outside), verdicts, told)


def _some(mask: Mask) -> Mask | None:
    return mask if mask.any() else None


__all__ = ["TableDecoder", "TableReader"]
