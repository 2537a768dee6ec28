"""Result rows to a file or standard output: JSON lines or CSV, plain, .gz or .zst.

Rows are written as they come and are readable after each `write`: results are a stream that others follow, so there
is no temporary file; a run that stops half way leaves the rows it had found.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO

import numpy as np
import orjson
import zstandard

from lepton_stream.columns import Numbers, Text, Told, compact, listed, take
from lepton_stream.errors import LeptonError, UsageError
from lepton_stream.formats.json_columns import JsonColumns

STDOUT = "-"
_OTHER_FORMS = (".xz", ".zip", ".bz2", ".lz4", ".7z", ".parquet", ".arrow", ".feather", ".avro", ".xlsx", ".tsv")
"""Suffixes that promise what is not written: JSON lines under such a name would only fail later, elsewhere."""
_AT_ONCE = 1 << 13
"""Rows of columns that are encoded at once: they stay in the processor's cache."""
Row = Mapping[str, object]


class Output:
    """An open output. `write` takes rows and hands them on at once; close it, or use it in `with`."""

    def __init__(
        self, stream: IO[bytes], flush: Sequence[Callable[[], object]], close: Sequence[IO[bytes]], *, as_csv: bool
    ) -> None:
        self._stream, self._flush, self._close = stream, flush, close
        self._as_csv = as_csv
        self._columns: list[str] | None = None

    def write(self, rows: Sequence[Row]) -> None:
        """Write and flush. Raises LeptonError for a number that is not finite, UsageError if CSV columns change."""
        if self._as_csv and rows:
            _refuse_rows(rows)
            self._hand_on(self._csv(list(rows[0]), rows))
        elif rows:
            self._hand_on(_json(rows))

    def write_columns(self, columns: Mapping[str, Told]) -> None:
        """The same of columns of equal length, by name."""
        for name, values in columns.items():
            _refuse_not_finite(name, values)
        rows = max(map(len, columns.values()), default=0)
        if not rows:
            return
        if self._as_csv:
            lists = [listed(values) for values in columns.values()]
            whole = [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]
            self._hand_on(self._csv(list(columns), whole))
            return
        for at in range(0, rows, _AT_ONCE):
            some = slice(at, at + _AT_ONCE)
            part = {name: v[some] if isinstance(v, list) else take(v, some) for name, v in columns.items()}
            self._stream.write(JsonColumns(part).lines())
        self._flush_all()

    def _hand_on(self, data: bytes) -> None:
        self._stream.write(data)
        self._flush_all()

    def _flush_all(self) -> None:
        for flush in self._flush:
            flush()

    def close(self) -> None:
        """End the compressed stream and close the file; standard output stays open."""
        for stream in self._close:
            stream.close()

    def __enter__(self) -> Output:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _csv(self, columns: list[str], rows: Sequence[Row]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if self._columns is None:
            self._columns = columns
            writer.writerow(self._columns)
        for row in rows:
            if list(row) != self._columns:
                wish = "CSV needs the same columns in every row; write .jsonl, or one window section a run"
                raise UsageError(f"result columns changed from {self._columns} to {list(row)}: {wish}")
            writer.writerow([_cell(v) for v in row.values()])
        return text.getvalue().encode()


def open_output(path: str | Path, stdout: BinaryIO | None = None) -> Output:
    """An output by the path's suffixes (`.csv`, else JSON lines; `.gz`, `.zst`). `-` is `stdout`. Raises UsageError."""
    name = str(path)
    if name == STDOUT:
        if stdout is None:
            raise UsageError("-: there is no standard output to write to; name a file")
        return Output(stdout, [stdout.flush], [], as_csv=False)
    suffixes = [s.lower() for s in Path(name).suffixes]
    if suffixes and suffixes[-1] in _OTHER_FORMS:
        raise UsageError(f"{name}: results are written as .jsonl or .csv, plain, .gz or .zst")
    try:
        raw = Path(name).open("wb")  # noqa: SIM115  Output closes it
    except OSError as error:
        raise UsageError(f"{name}: cannot be written: {error.strerror}; check the folder and its permissions") from None
    return _packed(raw, suffixes)


def _packed(raw: BinaryIO, suffixes: list[str]) -> Output:
    packing = suffixes[-1] if suffixes and suffixes[-1] in (".gz", ".zst") else ""
    as_csv = ".csv" in (suffixes[:-1][-1:] if packing else suffixes[-1:])
    if packing == ".gz":
        # No name and no time inside: equal results make equal files.
        zipped = gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0)
        return Output(zipped, [zipped.flush, raw.flush], [zipped, raw], as_csv=as_csv)  # type: ignore[list-item, arg-type]
    if packing == ".zst":
        stream = zstandard.ZstdCompressor().stream_writer(raw)
        return Output(stream, [partial(stream.flush, zstandard.FLUSH_BLOCK), raw.flush], [stream, raw], as_csv=as_csv)
    return Output(raw, [raw.flush], [raw], as_csv=as_csv)


def _json(rows: Sequence[Row]) -> bytes:
    # A number that is not finite is encoded as null: rows without one need no closer look.
    lines = [compact(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)) for row in rows]
    _refuse_rows(row for row, line in zip(rows, lines, strict=True) if b"null" in line)
    return b"".join(lines)


def _cell(value: object) -> object:
    """Booleans and lists as in JSON, null as an empty cell, floats in their shortest exact form (what `repr` gives)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode()
    return "" if value is None else value


def _refuse_rows(rows: Iterable[Row]) -> None:
    for row in rows:
        for name, value in row.items():
            _refuse_not_finite(name, (value,))


def _refuse_not_finite(name: str, values: Told | Sequence[object]) -> None:
    """A number that is not finite would become null without a word: stop instead."""
    if isinstance(values, Text) or (isinstance(values, Numbers) and bool(np.isfinite(values.values).all())):
        return
    if isinstance(values, Numbers):
        values = listed(values)
    for number in _floats(values):
        if not math.isfinite(number):
            raise LeptonError(f"result column {name} is {number}, which JSON cannot hold; please report this")


def _floats(values: Sequence[object]) -> list[float]:
    """Those among the values, and among those of lists."""
    if not {float, list} & set(map(type, values)):
        return []
    within = (n for v in values if isinstance(v, list) for n in v)
    return [v for v in (*values, *within) if isinstance(v, float)]
