"""Files as sources: a file, plain or compressed, or standard input becomes chunks of whole lines."""

from __future__ import annotations

import contextlib
import fcntl
import io
import select
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.columns import PADDING, Octets
from lepton_stream.errors import UsageError
from lepton_stream.formats.compression import DAMAGED, decompressed
from lepton_stream.formats.lines import Block, LineCutter, first_line
from lepton_stream.pipeline.plan import FileForm

STDIN = "-"
_PIECE = 128 * 1024
_PIPE_BYTES = 1 << 20
_WAITS, _WAIT_MS = 4, 2
"""Of a live stream: how often, and how long each time, there may be more to come before its lines go on their way."""


class FileSource:
    """Iterates the chunks of one input file, once; memory stays bounded by `block_bytes` and `max_record_bytes`.

    Offsets count the file's records from 0, the header not among them; every timestamp is `run_start_us`. A record
    longer than `max_record_bytes` is cut after one byte more, which the decoders refuse; `long[offset]` is its true
    length. `header` is the first line of a CSV file that has one, else None. `position` counts bytes of the file as
    it lies on disk; `size` is None where it is not known.
    """

    def __init__(
        self,
        path: str | Path,
        source: SourcePartition,
        form: FileForm,
        *,
        run_start_us: int,
        max_record_bytes: int,
        block_bytes: int = 2 * 1024 * 1024,
        stdin: BinaryIO | None = None,
    ) -> None:
        """`stdin`: the stream that `-` stands for. Raises UsageError for a file that cannot be read."""
        self.name = str(path)
        self.source = source
        self.long: dict[int, int] = {}
        self._run_start_us, self._block_bytes = run_start_us, block_bytes
        self._records, self._live = 0, self.name == STDIN
        self._raw, self.size = _open(self.name, stdin)
        self._counted = _Counted(self._raw, live=self._live)
        self._cutter = LineCutter(max_record_bytes + 1)
        self._ended, self._ahead = False, b""
        self.header: bytes | None = None
        try:
            self._stream = decompressed(io.BufferedReader(self._counted, 1 << 16), self.name)
            self.compressed = not isinstance(self._stream, io.BufferedReader) or self._stream.raw is not self._counted
            if form.format == "csv" and form.header:
                self.header, self._ahead = first_line(self._pieces(), max_record_bytes)
        except UsageError:
            self.close()
            raise
        except DAMAGED as error:
            self.close()
            raise self._damaged(error) from error

    @property
    def position(self) -> int:
        """Bytes of the file taken so far, for a progress bar."""
        return self._counted.count

    def __iter__(self) -> Iterator[Chunk]:
        """Raises UsageError where the file is damaged, after the chunks of all that could be read."""
        try:
            for block in self._blocks():
                yield self._chunk(block)
        finally:
            self.close()

    def _blocks(self) -> Iterator[Block]:
        while not self._ended:
            buffer, filled = self._cutter.room(max(self._block_bytes, len(self._ahead)))
            filled, error = self._fill(buffer, filled)
            block = self._cutter.cut(buffer, filled)
            if block is not None:
                yield block
            if error is not None:  # told only now: the lines before the damage are counted in the message
                raise self._damaged(error) from error
        last = self._cutter.finish()
        if last is not None:
            yield last

    def __enter__(self) -> FileSource:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if not self._live:
            self._raw.close()

    def _fill(self, buffer: Octets, filled: int) -> tuple[int, BaseException | None]:
        """(how far it is filled now, what went wrong). Standard input gives what it has: live rows must not wait."""
        n, self._ahead = len(self._ahead), self._forget_ahead(buffer[filled:])
        filled += n
        view = buffer.data[: len(buffer) - PADDING]
        waits = _WAITS
        while filled < len(view) and not self._ended:
            if self._live and n:
                if not waits or not _more(self._raw):
                    break
                waits -= 1
            try:
                n = self._read_into(view[filled:])
            except DAMAGED as error:
                return filled, error
            filled += n
            self._ended = not n
        return filled, None

    def _read_into(self, room: memoryview) -> int:
        """Bytes read; 0 at the end. Piece by piece: with damage only its own piece is lost."""
        if not self._live:
            n: int = self._stream.readinto1(room[:_PIECE])  # type: ignore[attr-defined]
            return n
        # `readinto1` would go on reading while there is much room, and live rows would wait
        data: bytes = getattr(self._stream, "read1", self._stream.read)(len(room))
        room[: len(data)] = data
        return len(data)

    def _forget_ahead(self, room: Octets) -> bytes:
        """What was read beyond the header comes first."""
        room[: len(self._ahead)] = np.frombuffer(self._ahead, np.uint8)
        return b""

    def _pieces(self) -> Iterator[bytes]:
        read = getattr(self._stream, "read1", self._stream.read)
        size = min(_PIECE, self._block_bytes)
        while piece := read(size):
            yield piece

    def _chunk(self, block: Block) -> Chunk:
        start, n = self._records, len(block.values)
        self._records += n
        self.long.update({start + row: length for row, length in block.long.items()})
        timestamp = np.full(n, self._run_start_us, np.int64)
        return Chunk(self.source, start, start + n, np.arange(start, start + n), block.values, timestamp)

    def _damaged(self, error: BaseException) -> UsageError:
        place = f"at about byte {self.position}, after {self._records} whole records"
        remedy = "fetch or write the file again; what was read before stays valid"
        return UsageError(f"{self.name}: damaged or cut off {place}: {error or type(error).__name__}; {remedy}")


class _Counted(io.RawIOBase):
    """Counts the bytes that pass; seeks where the file can (zip archives)."""

    def __init__(self, raw: BinaryIO, *, live: bool) -> None:
        self._raw, self._live = raw, live
        self.count = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._raw.seekable()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if not self._live:
            n: int = self._raw.readinto(view)  # type: ignore[attr-defined]
            self.count += n
            return n
        data = getattr(self._raw, "read1", self._raw.read)(len(view))
        view[: len(data)] = data
        self.count += len(data)
        return len(data)


def _open(name: str, stdin: BinaryIO | None) -> tuple[BinaryIO, int | None]:
    """(byte stream, size on disk if known)."""
    if name == STDIN:
        if stdin is None:
            raise UsageError("-: there is no standard input to read; name a file")
        _widen(stdin)
        return stdin, None
    try:
        raw = Path(name).open("rb")  # noqa: SIM115  FileSource closes it
    except IsADirectoryError:
        raise UsageError(f"{name}: is a directory; name the files in it") from None
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}; check the path and its permissions") from None
    return raw, Path(name).stat().st_size or None


def _more(raw: BinaryIO) -> bool:
    """Whether a live stream has more at once, or comes to its end; where nobody can tell, it has not."""
    try:
        poll = select.poll()
        poll.register(raw.fileno(), select.POLLIN)
        return bool(poll.poll(_WAIT_MS))
    except (AttributeError, OSError):  # no pipe at all, or a system without poll
        return False


def _widen(raw: BinaryIO) -> None:
    """Let a pipe hold as much as a block, so that whoever writes is not stopped every 64 KiB."""
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(raw.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
