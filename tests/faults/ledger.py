"""What a producer was promised: one line for each acknowledged record, on the disk before the next ones are sent."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

_LINE = struct.Struct(">IHQI")
_COLUMNS = np.dtype([("number", ">u4"), ("partition", ">u2"), ("offset", ">u8"), ("crc", ">u4")])


class Acked(NamedTuple):
    """Record `number` of the load lies in `partition` at `offset`; `crc` of key and value."""

    number: int
    partition: int
    offset: int
    crc: int


def crc_of(key: bytes | None, value: bytes | None) -> int:
    """To tell records apart."""
    return zlib.crc32(value or b"", zlib.crc32(key or b""))


class Ledger:
    """Append-only; a line counts once it is synced."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")
        self._path = path

    def add(self, acked: Sequence[Acked]) -> None:
        """Keep these for good."""
        self._file.write(b"".join(_LINE.pack(*one) for one in acked))
        self._file.flush()
        os.fsync(self._file.fileno())

    def __iter__(self) -> Iterator[Acked]:
        yield from (Acked(*row) for row in _LINE.iter_unpack(self._path.read_bytes()))

    def between(self, places: Mapping[int, tuple[int, int]]) -> int:
        """How many acknowledged records have their offset in [from, to) of their partition."""
        data = self._path.read_bytes()
        lines = np.frombuffer(data[: len(data) // _LINE.size * _LINE.size], _COLUMNS)
        first, end = (np.zeros(max(places) + 1, np.uint64) for _ in range(2))
        for partition, (begin, to) in places.items():
            first[partition], end[partition] = begin, to
        at = lines["partition"]
        return int(np.sum((lines["offset"] >= first[at]) & (lines["offset"] < end[at])))

    def close(self) -> None:
        """No more lines."""
        self._file.close()
