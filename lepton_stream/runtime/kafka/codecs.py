"""Decompression of record batches with a bound: a few kilobytes that say they hold gigabytes cost the bound at most."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from enum import IntEnum

import cramjam
import numpy as np

LZ4_BLOCK_MAX = {4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 1 << 22}
LZ4_MAGIC = 0x184D2204
XERIAL = b"\x82SNAPPY\x00"
XERIAL_HEADER = 16
GZIP_WINDOW = 16 + zlib.MAX_WBITS
BUFFER_FULL = "failed to write whole buffer"


class TooLargeError(ValueError):
    """The data is longer than the bound."""


class Codec(IntEnum):
    """The three low bits of a batch's attributes."""

    NONE = 0
    GZIP = 1
    SNAPPY = 2
    LZ4 = 3
    ZSTD = 4


def decompress(codec: int, data: memoryview, bound: int) -> bytes:
    """The data behind `data`, at most `bound` bytes of it.

    Raises TooLargeError beyond the bound, before or while it is reached, and ValueError for data that is broken or
    of an unknown codec. Never allocates more than the bound for what it gives.
    """
    try:
        return DECODERS[codec](data, bound)
    except KeyError:
        raise ValueError(f"unknown compression codec {codec}") from None
    except (zlib.error, cramjam.DecompressionError, struct.error, EOFError) as error:
        raise ValueError(f"cannot be decompressed ({Codec(codec).name.lower()}): {error}") from error


def plain(data: memoryview, bound: int) -> bytes:
    """As it is."""
    if len(data) > bound:
        raise TooLargeError
    return bytes(data)


def gzip(data: memoryview, bound: int) -> bytes:
    """RFC 1952, one member or several."""
    out, left = [], bound
    rest: bytes | memoryview = data
    while rest:
        inflater = zlib.decompressobj(GZIP_WINDOW)
        out.append(inflater.decompress(rest, left + 1))
        left -= len(out[-1])
        if left < 0:
            raise TooLargeError
        if not inflater.eof:
            raise EOFError("it ends in the middle")
        rest = inflater.unused_data
    return b"".join(out)


def snappy(data: memoryview, bound: int) -> bytes:
    """One raw block, or Xerial's framing of many. A block begins with its length, so nothing is done in vain."""
    if bytes(data[: len(XERIAL)]) != XERIAL:
        blocks = [data]
    else:
        blocks, at = [], XERIAL_HEADER
        while at < len(data):
            (size,) = struct.unpack_from(">i", data, at)
            if size <= 0 or at + 4 + size > len(data):
                raise EOFError("a block is longer than the data")
            blocks.append(data[at + 4 : at + 4 + size])
            at += 4 + size
    if sum(cramjam.snappy.decompress_raw_len(b) for b in blocks) > bound:
        raise TooLargeError
    return b"".join(bytes(cramjam.snappy.decompress_raw(b)) for b in blocks)


def lz4(data: memoryview, bound: int) -> bytes:
    """LZ4 frames. Their blocks say how much they can hold."""
    return into(cramjam.lz4.decompress_into, data, min(lz4_most(data), bound), bound)


def into(decoder: Callable[[memoryview, memoryview], int], data: memoryview, most: int, bound: int) -> bytes:
    """Decompress into a buffer of at most the bound: memory that is asked for but never written to is not spent."""
    buffer = np.empty(most + 1, np.uint8)
    try:
        size = decoder(data, buffer.data)
    except cramjam.DecompressionError as error:
        if BUFFER_FULL in str(error):
            raise TooLargeError from None
        raise
    if size > bound:
        raise TooLargeError
    return buffer[:size].tobytes()


def lz4_most(data: memoryview) -> int:
    """An upper bound of what the frames hold: a block holds at most the frame's block size, or 255 times its own."""
    total, at = 0, 0
    while at < len(data):
        magic, flags, sizes = struct.unpack_from("<IBB", data, at)
        if magic != LZ4_MAGIC:
            raise EOFError("it is not an LZ4 frame")
        block = LZ4_BLOCK_MAX.get(sizes >> 4 & 7, 0)
        at += 7 + (8 if flags & 0x08 else 0) + (4 if flags & 0x01 else 0)
        while True:
            (word,) = struct.unpack_from("<I", data, at)
            at += 4
            if word == 0:
                break
            size = word & 0x7FFFFFFF
            total += min(block, size if word >> 31 else 255 * size)
            at += size + (4 if flags & 0x10 else 0)
        at += 4 if flags & 0x04 else 0
    return total


def zstd(data: memoryview, bound: int) -> bytes:
    """RFC 8878, one frame or several, with or without a content size; windows up to 128 MiB (the decoder's limit)."""
    return into(cramjam.zstd.decompress_into, data, bound, bound)


DECODERS: dict[int, Callable[[memoryview, int], bytes]] = {
    Codec.NONE: plain,
    Codec.GZIP: gzip,
    Codec.SNAPPY: snappy,
    Codec.LZ4: lz4,
    Codec.ZSTD: zstd,
}
