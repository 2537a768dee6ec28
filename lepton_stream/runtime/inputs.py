"""What a local run reads: files, standard input, or records at hand, each with the decoder that fits it."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias, TypeGuard

import numpy as np
import orjson

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.errors import LeptonError, PlanError, Problem, UsageError
from lepton_stream.formats.arrow_files import table_format
from lepton_stream.formats.csv_header import parse_header
from lepton_stream.formats.csv_records import CsvDecoder
from lepton_stream.formats.decoder import Decoder
from lepton_stream.formats.files import STDIN, FileSource
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.pipeline.plan import Field, Plan
from lepton_stream.runtime.ahead import ahead, pays
from lepton_stream.runtime.table_input import TableInput

Record: TypeAlias = bytes | str | Mapping[str, object]
RecordsAtHand: TypeAlias = Iterable[Record]
_RECORDS_A_CHUNK = 8192


class Input(Protocol):
    """An opened input. `long[offset]`: the true length of a record that was cut."""

    name: str
    source: SourcePartition
    long: dict[int, int]

    def __iter__(self) -> Iterator[Chunk]: ...

    def decoder(self, fields: Sequence[Field]) -> Decoder:
        """A decoder of this input's records for the given fields."""
        ...

    @property
    def header(self) -> tuple[str, ...]:
        """The columns of a CSV file, empty for other formats."""
        ...

    @property
    def position(self) -> int:
        """Bytes (or records) taken so far."""
        ...

    @property
    def size(self) -> int | None:
        """Bytes (or records) in all, where known."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class FileInput:
    """A file or standard input, in the form that `[source.file]` describes."""

    def __init__(self, path: str, place: int, plan: Plan, run_start_us: int, stdin: BinaryIO | None) -> None:
        """Raises UsageError for a file that cannot be read, PlanError for a header that does not fit."""
        self._plan = plan
        # the name as text: one that is not UTF-8 could not be written into stats and dead letters
        source = SourcePartition(os.fsencode(path).decode(errors="replace"), place)
        limit = plan.source.max_record_bytes
        form = plan.source.file
        self._file = FileSource(path, source, form, run_start_us=run_start_us, max_record_bytes=limit, stdin=stdin)
        self.name, self.source, self.long = source.topic, source, self._file.long
        self.header: tuple[str, ...] = ()
        self.read_ahead = False
        if form.format == "json" and (form.rename or form.time is not None):
            self.close()
            key = "source.file.rename" if form.rename else "source.file.time"
            wish = 'is for columns of CSV, Parquet and Arrow files; this file is read as JSON lines: format = "csv"?'
            raise PlanError(f"{self.name}: does not fit [source.file]", [Problem(key, "", wish)])
        if form.format == "csv":
            try:
                self.header = parse_header(self._file.header, form) if self._file.header is not None else form.columns
                self.decoder(plan.fields)
            except PlanError as error:
                self.close()
                raise PlanError(f"{self.name}: {error.title}", error.problems) from None

    def __iter__(self) -> Iterator[Chunk]:
        return ahead(self._file) if self.read_ahead and self._file.compressed else iter(self._file)

    def decoder(self, fields: Sequence[Field]) -> Decoder:
        """By the file's format."""
        if self._plan.source.file.format == "csv":
            return CsvDecoder(self._plan.source, fields, self._plan.source.file, self.header)
        return JsonDecoder(self._plan.source, fields)

    @property
    def position(self) -> int:
        """Bytes as they lie on disk."""
        return self._file.position

    @property
    def size(self) -> int | None:
        """Bytes as they lie on disk, None for a pipe."""
        return self._file.size

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class RecordsInput:
    """Records at hand: mappings, JSON texts or bytes, taken as they come."""

    def __init__(self, records: RecordsAtHand, place: int, plan: Plan, run_start_us: int) -> None:
        self._records, self._plan, self._run_start_us = records, plan, run_start_us
        self.name, self.source = f"records[{place}]", SourcePartition(f"records[{place}]", place)
        self.long: dict[int, int] = {}
        self.header: tuple[str, ...] = ()
        self.position = 0
        self.size = len(records) if isinstance(records, Sequence) else None

    def __iter__(self) -> Iterator[Chunk]:
        records = iter(self._records)
        while batch := [_as_bytes(r) for r in itertools.islice(records, _RECORDS_A_CHUNK)]:
            start = self.position
            self.position += len(batch)
            offsets = np.arange(start, self.position)
            timestamp = np.full(len(batch), self._run_start_us, np.int64)
            yield Chunk(self.source, start, self.position, offsets, Values.from_list(batch), timestamp)

    def decoder(self, fields: Sequence[Field]) -> Decoder:
        """JSON: the topic's format."""
        return JsonDecoder(self._plan.source, fields)

    def close(self) -> None:
        """Nothing to close."""


def _as_bytes(record: Record) -> bytes:
    if isinstance(record, bytes):
        return record
    if isinstance(record, str):
        return record.encode()
    try:
        return orjson.dumps(record)
    except TypeError as error:
        raise UsageError(
            f"input: a record cannot be written as JSON ({error}); give mappings, JSON text or bytes"
        ) from None


def open_inputs(
    given: str | Path | RecordsAtHand | Sequence[str | Path], plan: Plan, run_start_us: int, stdin: BinaryIO | None
) -> list[Input]:
    """Each file is an input of its own; an iterable of records is one. Raises UsageError if there is none."""
    if isinstance(given, (str, Path)):
        given = [given]
    listed: list[object] | None = list(given) if isinstance(given, (list, tuple)) else None
    if listed is not None and listed and all(isinstance(g, Path) or _names_a_file(g) for g in listed):
        return _open_files([str(path) for path in listed], plan, run_start_us, stdin)
    if listed == []:
        raise UsageError("input: nothing was given; name one or more files, - for standard input, or records")
    if isinstance(given, (Mapping, bytes)) or not isinstance(given, Iterable):
        raise UsageError(
            f"input is a {type(given).__name__}: expects a file name, several, or an iterable of records; "
            "one record goes into a list"
        )
    return [RecordsInput(given, 0, plan, run_start_us)]  # type: ignore[arg-type]


def _open_files(paths: list[str], plan: Plan, run_start_us: int, stdin: BinaryIO | None) -> list[Input]:
    if paths.count(STDIN) > 1:
        raise UsageError("-: standard input can be read once; name it once")
    _refuse_twice(paths)
    opened: list[Input] = []
    try:
        for place, path in enumerate(paths):
            opened.append(_open_file(path, place, plan, run_start_us, stdin))
    except LeptonError:
        for given in opened:
            given.close()
        raise
    for given in opened:
        if is_file(given):
            given.read_ahead = pays(len(opened))
    return opened


def is_file(given: Input) -> TypeGuard[FileInput | TableInput]:
    """Whether a thread may read it: nobody could stop the reader of a pipe, or knows a caller's own records."""
    return isinstance(given, (FileInput, TableInput)) and given.size is not None


def _open_file(path: str, place: int, plan: Plan, run_start_us: int, stdin: BinaryIO | None) -> Input:
    form = table_format(path, plan.source.file.format)
    if form is not None:
        return TableInput(path, place, plan, run_start_us, form, stdin)
    return FileInput(path, place, plan, run_start_us, stdin)


def _refuse_twice(paths: list[str]) -> None:
    """Each input is a source partition with a memory of its own: one named twice would be counted twice."""
    files = [os.path.realpath(path) for path in paths if Path(path).is_file()]  # a pipe may well be named twice
    twice = [path for path, n in Counter(files).items() if n > 1]
    if twice:
        raise UsageError(f"{twice[0]}: is named more than once, and would be counted so; name each file once")


def _names_a_file(given: object) -> bool:
    """Strings in a list are file names unless they look like JSON."""
    return isinstance(given, str) and not given.lstrip().startswith(("{", "["))


__all__ = ["STDIN", "FileInput", "Input", "RecordsInput", "open_inputs"]
