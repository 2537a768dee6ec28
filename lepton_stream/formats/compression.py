"""Opening plain and compressed files for reading: by their name, or by their first bytes if the name says nothing.

Every reader is bounded in memory and says so when the data is damaged or cut off, at whatever byte.
"""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import Path
from typing import IO, BinaryIO

import zstandard

from lepton_stream.errors import UsageError

Compression = str
"""One of "", ".gz", ".zst", ".xz", ".zip"."""

MAGIC: dict[bytes, Compression] = {
    b"\x1f\x8b": ".gz",
    b"\x28\xb5\x2f\xfd": ".zst",
    b"\xfd7zXZ\x00": ".xz",
    b"PK\x03\x04": ".zip",
}
DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zstandard.ZstdError, zipfile.BadZipFile, RuntimeError)
"""What reading a damaged file may raise (gzip.BadGzipFile is an OSError; zipfile says RuntimeError for passwords)."""

_ZSTD_INPUT = 1024


class _ZstdReader(io.RawIOBase):
    """Zstandard frames one after the other. Unlike the library's own reader it notices a frame that is cut off.

    1 KiB of input is decompressed at a time: at the format's highest ratio that is 32 MiB of output.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._input, self._output = b"", b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        while not self._output:
            if not self._input:
                self._input = self._raw.read(_ZSTD_INPUT)
            if not self._input:
                if self._frame is not None:
                    raise EOFError("the compressed data ends before its end mark")
                return 0
            self._decompress()
        n = min(len(view), len(self._output))
        view[:n] = self._output[:n]
        self._output = self._output[n:]
        return n

    def _decompress(self) -> None:
        if self._frame is None:
            self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._output = self._frame.decompress(self._input)
        self._input = self._frame.unused_data if self._frame.eof else b""
        if self._frame.eof:
            self._frame = None


def compression_of(name: str, first: bytes) -> Compression:
    """From the file's name, else from its first bytes."""
    suffix = Path(name).suffix.lower()
    if suffix in MAGIC.values():
        return suffix
    return next((kind for magic, kind in MAGIC.items() if first.startswith(magic)), "")


def decompressed(raw: io.BufferedReader, name: str) -> IO[bytes]:
    """A reader of what the file holds. Raises UsageError where that is not one stream, DAMAGED for damage."""
    kind = compression_of(name, raw.peek(8)[:8])
    if kind == ".gz":
        return gzip.GzipFile(fileobj=raw, mode="rb")  # type: ignore[return-value]
    if kind == ".xz":
        return lzma.LZMAFile(raw)
    if kind == ".zst":
        return io.BufferedReader(_ZstdReader(raw), 1 << 17)
    return _only_member(raw, name) if kind == ".zip" else raw


def _only_member(raw: io.BufferedReader, name: str) -> IO[bytes]:
    if not raw.seekable():
        raise UsageError(f"{name}: a zip archive cannot be read from a pipe; unpack it first, as in `unzip -p`")
    archive = zipfile.ZipFile(raw)
    members = [m for m in archive.infolist() if not m.is_dir()]
    if len(members) != 1:
        raise UsageError(f"{name}: the zip archive holds {len(members)} files; expects exactly one; unpack it first")
    return archive.open(members[0])
