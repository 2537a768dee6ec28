"""Bounded decompression: what Kafka's clients write comes back, and bombs cost the bound at most."""

from __future__ import annotations

import gzip
import resource
import struct
import zlib
from collections.abc import Callable

import cramjam
import pytest
import zstandard
from aiokafka import codec as reference
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.runtime.kafka.codecs import XERIAL, Codec, TooLargeError, decompress

MIB = 1 << 20
BOUND = 4 * MIB
BOMB = 256 * MIB


def lz4_linked(data: bytes) -> bytes:
    """With linked blocks, checksums and the content size in the header, as other clients may write."""
    return bytes(cramjam.lz4.compress(data, level=4))


def zstd_unsized(data: bytes) -> bytes:
    """A streamed frame, as the Java client writes: nothing says how long the content is."""
    c = zstandard.ZstdCompressor(level=3, write_content_size=False).compressobj()
    return c.compress(data) + c.flush()


ENCODERS: dict[str, tuple[Codec, Callable[[bytes], bytes]]] = {
    "none": (Codec.NONE, bytes),
    "gzip": (Codec.GZIP, reference.gzip_encode),
    "gzip members": (Codec.GZIP, lambda d: gzip.compress(d[: len(d) // 2]) + gzip.compress(d[len(d) // 2 :])),
    "snappy xerial": (Codec.SNAPPY, reference.snappy_encode),
    "snappy raw": (Codec.SNAPPY, lambda d: bytes(reference.snappy_encode(d, xerial_compatible=False))),
    "lz4": (Codec.LZ4, reference.lz4_encode),
    "lz4 linked": (Codec.LZ4, lz4_linked),
    "zstd": (Codec.ZSTD, reference.zstd_encode),
    "zstd unsized": (Codec.ZSTD, zstd_unsized),
    "zstd frames": (Codec.ZSTD, lambda d: zstd_unsized(d[:10]) + zstd_unsized(d[10:])),
}


@pytest.mark.parametrize("how", ENCODERS)
@given(data=st.one_of(st.binary(max_size=3000), st.binary(min_size=1, max_size=9).map(lambda b: b * 40_000)))
def test_what_was_compressed_comes_back(how: str, data: bytes) -> None:
    codec, encode = ENCODERS[how]
    assert decompress(codec, memoryview(encode(data)), len(data)) == data


@pytest.mark.parametrize("how", ENCODERS)
def test_one_byte_above_the_bound_is_refused(how: str) -> None:
    codec, encode = ENCODERS[how]
    packed = memoryview(encode(b"a" * 100_000))
    assert len(decompress(codec, packed, 100_000)) == 100_000
    with pytest.raises(TooLargeError):
        decompress(codec, packed, 99_999)


@pytest.mark.parametrize("how", [h for h in ENCODERS if h != "none"])
@pytest.mark.parametrize("damage", ["cut", "garbage"])
def test_broken_data_is_a_value_error_and_nothing_else(how: str, damage: str) -> None:
    codec, encode = ENCODERS[how]
    packed = encode(bytes(range(256)) * 500)
    bad = packed[: len(packed) // 3] if damage == "cut" else b"\x07" * 40
    with pytest.raises(ValueError, match=r".") as caught:
        decompress(codec, memoryview(bad), BOUND)
    assert type(caught.value) in (ValueError, TooLargeError)


def test_an_unknown_codec_is_named() -> None:
    with pytest.raises(ValueError, match="unknown compression codec 6"):
        decompress(6, memoryview(b"x"), 10)


def gzip_bomb() -> bytes:
    c = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join(c.compress(bytes(MIB)) for _ in range(BOMB // MIB)) + c.flush()


def zstd_bomb() -> bytes:
    c = zstandard.ZstdCompressor(level=1, write_content_size=False).compressobj()
    return b"".join(c.compress(bytes(MIB)) for _ in range(BOMB // MIB)) + c.flush()


def lz4_bomb() -> bytes:
    return reference.lz4_encode(bytes(MIB), 1) * (BOMB // MIB)


def snappy_bomb() -> bytes:
    """A raw block whose first bytes say 256 MiB (a varint)."""
    return b"\x80\x80\x80\x80\x01" + bytes(64)


def xerial_bomb() -> bytes:
    block = bytes(cramjam.snappy.compress_raw(bytes(MIB)))
    return XERIAL + struct.pack(">ii", 1, 1) + (struct.pack(">i", len(block)) + block) * (BOMB // MIB)


@pytest.mark.parametrize(
    ("codec", "make"),
    [
        (Codec.GZIP, gzip_bomb),
        (Codec.ZSTD, zstd_bomb),
        (Codec.LZ4, lz4_bomb),
        (Codec.SNAPPY, snappy_bomb),
        (Codec.SNAPPY, xerial_bomb),
    ],
)
def test_a_bomb_is_refused_without_the_memory_being_spent(codec: Codec, make: Callable[[], bytes]) -> None:
    bomb = make()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TooLargeError):
        decompress(codec, memoryview(bomb), BOUND)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 8 * BOUND  # of 256 MiB
