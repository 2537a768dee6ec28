"""One buffer for the batches of a chunk: bytes stay as they came, and no chunk holds more memory than it needs."""

from __future__ import annotations

import sys

import pytest

from lepton_stream.columns import PADDING
from lepton_stream.runtime.kafka.arena import Arena
from lepton_stream.runtime.kafka.codecs import Codec
from lepton_stream.runtime.kafka.compress import CodecName, Compression

SIZE, BOUND = 1 << 16, 1 << 20


@pytest.mark.parametrize("length", [0, 10, SIZE // 3, SIZE // 2, SIZE, 5 * SIZE])
@pytest.mark.parametrize("codec", ["none", "lz4", "zstd"])
def test_batches_lie_one_after_the_other_and_padding_behind_them(codec: CodecName, length: int) -> None:
    bodies = [bytes([number]) * length for number in (1, 2, 3)]
    arena = Arena(SIZE)
    for body in bodies:
        packed, compressed = Compression(codec).compress(body)
        assert arena.decompress(packed, memoryview(compressed), BOUND) == length
    data = arena.data
    assert data.tobytes() == b"".join(bodies) + bytes(PADDING)
    assert data.base is None
    assert data.nbytes == 3 * length + PADDING


def test_what_was_given_out_is_given_out_again() -> None:
    arena = Arena(SIZE)
    arena.decompress(Codec.NONE, memoryview(b"x" * (SIZE - 1)), BOUND)
    first = arena.data
    assert first.tobytes() == arena.data.tobytes() == b"x" * (SIZE - 1) + bytes(PADDING)


def test_a_profiler_may_look_on() -> None:
    arena = Arena(SIZE)
    arena.decompress(Codec.NONE, memoryview(b"x" * (SIZE // 2)), BOUND)
    before = sys.getprofile()
    sys.setprofile(lambda *_: None)
    try:
        data = arena.data
    finally:
        sys.setprofile(before)
    assert data.tobytes() == b"x" * (SIZE // 2) + bytes(PADDING)
