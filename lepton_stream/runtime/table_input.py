"""A Parquet or Arrow file as an input of a local run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.errors import PlanError
from lepton_stream.formats.arrow_files import TableFile, TableFormat
from lepton_stream.formats.decoder import Decoder
from lepton_stream.formats.table_records import TableDecoder, TableReader
from lepton_stream.pipeline.plan import Field, Plan
from lepton_stream.runtime.ahead import ahead


class TableInput:
    """Its batches are the chunks; offsets count its rows."""

    header: tuple[str, ...] = ()

    def __init__(
        self, path: str, place: int, plan: Plan, run_start_us: int, form: TableFormat, stdin: BinaryIO | None
    ) -> None:
        """Raises UsageError for a file that cannot be read, PlanError for columns that do not fit."""
        self._plan, self._run_start_us = plan, run_start_us
        self.source = SourcePartition(os.fsencode(path).decode(errors="replace"), place)
        self.read_ahead = False
        self.name, self.long = self.source.topic, dict[int, int]()
        self._file = TableFile(path, form, stdin)
        self._rows, self._taken = sum(self._file.groups), 0
        self.size = Path(path).stat().st_size if self._rows else None
        try:
            self._reader = TableReader(self._file, plan)
        except PlanError as error:
            self.close()
            raise PlanError(f"{self.name}: {error.title}", error.problems) from None

    def __iter__(self) -> Iterator[Chunk]:
        return ahead(self._chunks()) if self.read_ahead else self._chunks()

    def _chunks(self) -> Iterator[Chunk]:
        for values in self._reader.batches():
            start, self._taken = self._taken, self._taken + len(values)
            timestamp = np.full(len(values), self._run_start_us, np.int64)
            yield Chunk(self.source, start, self._taken, np.arange(start, self._taken), values, timestamp)
        self.close()

    def decoder(self, fields: Sequence[Field]) -> Decoder:
        """Of its rows, and of the JSON that they are written in elsewhere."""
        return TableDecoder(self._plan.source, fields, self._reader.unused)

    @property
    def position(self) -> int:
        """Bytes of the file by its share of rows; rows where their number is not known."""
        return self._taken if self.size is None else self.size * self._taken // self._rows

    def close(self) -> None:
        """Close the file."""
        self._file.close()
