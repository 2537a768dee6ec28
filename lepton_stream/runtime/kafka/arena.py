"""One buffer for all batches of a chunk: they are decompressed into it, and records become spans of it."""

from __future__ import annotations

import struct
from collections.abc import Callable

import cramjam
import numpy as np

from lepton_stream.columns import PADDING, Octets
from lepton_stream.runtime.kafka.codecs import BUFFER_FULL, Codec, decompress, lz4_most

DIRECT: dict[int, Callable[..., int]] = {
    Codec.LZ4: cramjam.lz4.decompress_into,
    Codec.ZSTD: cramjam.zstd.decompress_into,
}
_RATIO, _LEAST = 8, 1 << 16
"""What Zstandard saves at most, mostly: few producers say beforehand how much they packed."""
_SMALL = 8
"""A chunk that fills less than this part of the buffer is copied out of it."""


class Arena:
    """Grows as bytes come; what was put into it stays where it is, counted from its begin."""

    def __init__(self, size: int) -> None:
        """`size`: bytes for which nothing has to be moved. Memory that is never written to is not spent."""
        self._buffer = np.empty(size + PADDING, np.uint8)
        self.used = 0

    @property
    def data(self) -> Octets:
        """All that is in it, with `PADDING` bytes behind."""
        size = self.used + PADDING
        self._buffer[self.used : size] = 0
        if _SMALL * size < len(self._buffer):  # small chunks may wait for long, and would break up the free memory
            return self._buffer[:size].copy()
        # Where it is: only the end is given back. Nobody else holds it; who counts would count a tracer, too.
        self._buffer.resize(size, refcheck=False)
        return self._buffer

    def decompress(self, codec: int, data: memoryview, bound: int) -> int:
        """Put what `data` holds behind what is there; its length. Raises as `codecs.decompress`."""
        size = self._directly(codec, data, bound) if codec in DIRECT else None
        if size is not None:
            self.used += size
            return size
        # The others have no bound for what they write; and the portable way says what is wrong.
        plain = data if codec == Codec.NONE else decompress(codec, data, bound)
        self._room(len(plain))[: len(plain)] = np.frombuffer(plain, np.uint8)
        self.used += len(plain)
        return len(plain)

    def _directly(self, codec: int, data: memoryview, bound: int) -> int | None:
        """The length; None if it is damaged or larger than the bound."""
        try:
            room = lz4_most(data) if codec == Codec.LZ4 else _RATIO * len(data)
        except (EOFError, struct.error):
            return None
        while True:
            room = min(max(room, _LEAST), bound)
            try:
                size = int(DIRECT[codec](data, self._room(room + 1)))
            except cramjam.DecompressionError as error:
                if BUFFER_FULL not in str(error) or room == bound:
                    return None
                room *= _RATIO
            else:
                return size if size <= bound else None

    def _room(self, size: int) -> Octets:
        """All free bytes, at least so many."""
        if self.used + size + PADDING > len(self._buffer):
            larger = np.empty(max(2 * len(self._buffer), self.used + size + PADDING), np.uint8)
            larger[: self.used] = self._buffer[: self.used]
            self._buffer = larger
        return self._buffer[self.used : -PADDING]
