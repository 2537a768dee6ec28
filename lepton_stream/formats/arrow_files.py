"""Parquet and Arrow files, opened: their columns, and their rows batch by batch in bounded memory.

Read by pyarrow (the extra `arrow`), on one thread: whoever runs several processes decides how many cores are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias

from lepton_stream.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_A_BATCH = 32_768
_PIECE = 1 << 20
SUFFIXES: dict[str, TableFormat] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
TableFormat: TypeAlias = Literal["parquet", "arrow"]
Batch: TypeAlias = "pa.RecordBatch"


def table_format(path: str, said: str) -> TableFormat | None:
    """The format of a file of columns, by its name or else by what the plan says; None for lines of text."""
    if said == "parquet" or said == "arrow":
        return SUFFIXES.get(Path(path).suffix.lower(), said)  # type: ignore[arg-type]
    return SUFFIXES.get(Path(path).suffix.lower())


class TableFile:
    """A file of columns. `batches` may be asked for again, save of a pipe. Raises UsageError for what is none."""

    def __init__(self, path: str, form: TableFormat, stdin: BinaryIO | None = None) -> None:
        """`stdin`: the stream that `-` stands for; an Arrow stream can be read from it, Parquet cannot."""
        self.name, self._form, self._pipe = path, form, path == "-"
        if find_spec("pyarrow") is None:
            raise UsageError(f"{path}: needs pyarrow, which is not installed: pip install 'lepton-stream[arrow]'")
        self._given: str | BinaryIO = path
        if self._pipe:
            if stdin is None or form == "parquet":
                what = "Parquet is read from its end" if form == "parquet" else "there is no standard input"
                raise UsageError(f"-: {what}; name a file, or give an Arrow stream")
            self._given = stdin
        self._opened = self._open()
        self.schema: pa.Schema = self._opened.schema

    @property
    def groups(self) -> list[int]:
        """Rows of each part that can be read on its own; empty where that is not known."""
        return self._opened.groups

    @property
    def has_whole_rows(self) -> bool:
        """Whether a row can be read again, with all its columns."""
        return not self._pipe

    def batches(self, columns: Sequence[str] | None = None, first_group: int = 0) -> Iterator[Batch]:
        """Batches of at most `ROWS_A_BATCH` rows from that part on, with these columns or all of them."""
        from pyarrow import ArrowException  # noqa: PLC0415  optional

        opened = self._opened if self._pipe else self._open()
        done = 0
        try:
            for batch in opened.batches(columns, first_group):
                for at in range(0, len(batch), ROWS_A_BATCH):
                    part = batch.slice(at, ROWS_A_BATCH)
                    yield part
                    done += len(part)
        except (ArrowException, OSError) as error:
            remedy = "fetch or write the file again; what was read before stays valid"
            raise UsageError(f"{self.name}: damaged or cut off after {done} whole rows: {error}; {remedy}") from error
        finally:
            opened.close()

    def _open(self) -> Any:
        from pyarrow import ArrowException  # noqa: PLC0415  optional

        try:
            return _Parquet(self._given) if self._form == "parquet" else _Ipc(self._given)
        except IsADirectoryError:
            raise UsageError(f"{self.name}: is a directory; name the files in it") from None
        except ArrowException as error:
            kind = "a Parquet file" if self._form == "parquet" else "an Arrow file or stream"
            raise UsageError(f"{self.name}: is not {kind}, or is damaged: {error}") from None
        except OSError as error:
            wish = "check the path and its permissions"
            raise UsageError(f"{self.name}: cannot be read: {error.strerror or error}; {wish}") from None

    def close(self) -> None:
        """Let go of the file; standard input stays open."""
        if not self._pipe:
            self._opened.close()


class _Parquet:
    def __init__(self, path: Any) -> None:
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415  optional

        self._raw = Path(path).open("rb")  # noqa: SIM115  closed by close()
        try:
            self._file = ParquetFile(self._raw, buffer_size=_PIECE)  # else a column of a row group is read as a whole
        except BaseException:
            self._raw.close()
            raise
        self.schema = self._file.schema_arrow
        meta = self._file.metadata
        self.groups = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]

    def batches(self, columns: Sequence[str] | None, first_group: int) -> Iterator[Batch]:
        names = None if columns is None else list(columns)
        for group in range(first_group, len(self.groups)):
            yield from self._file.iter_batches(ROWS_A_BATCH, row_groups=[group], columns=names, use_threads=False)

    def close(self) -> None:
        self._raw.close()


class _Ipc:
    """The file format (also called Feather), where each batch can be read alone, or the stream format."""

    def __init__(self, given: Any) -> None:
        from pyarrow import ArrowInvalid, ipc, memory_map  # noqa: PLC0415  optional

        self._given, self._source, self.groups = given, given, list[int]()
        self._count: int | None = None  # of a stream
        if not isinstance(given, str):
            self._file = ipc.open_stream(given)
        else:
            Path(given).open("rb").close()  # tells a missing file in the system's words
            self._source = memory_map(given)
            try:
                self._file = ipc.open_file(self._source)
                self._count = self._file.num_record_batches
            except ArrowInvalid:
                self._source.seek(0)
                self._file = ipc.open_stream(self._source)
        self.schema = self._file.schema

    def batches(self, columns: Sequence[str] | None, _first_group: int) -> Iterator[Batch]:
        stream = self._count is None
        for batch in self._file if stream else map(self._file.get_batch, range(self._count or 0)):
            yield batch if columns is None else batch.select(list(columns))

    def close(self) -> None:
        if isinstance(self._given, str):
            self._source.close()
