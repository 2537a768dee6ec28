"""Decompression bombs on both paths: bounded memory, one row that points at the batch, and reading goes on."""

from __future__ import annotations

import resource
from collections.abc import Callable

import pytest

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.batches import HEADER, sealed, with_body
from lepton_stream.runtime.kafka.chunks import BOUNDS, Run
from lepton_stream.runtime.kafka.codecs import Codec
from lepton_stream.runtime.kafka.errors import OversizeBatch, UnreadableBatch
from tests.kafka.test_chunks import batch
from tests.kafka.test_codecs import BOUND, gzip_bomb, lz4_bomb, snappy_bomb, xerial_bomb, zstd_bomb

pytestmark = pytest.mark.usefixtures("path")
SOURCE = SourcePartition("readings", 3)
SMALL = BOUNDS._replace(batch_bytes=BOUND)
BOMBS = [
    (Codec.GZIP, gzip_bomb),
    (Codec.ZSTD, zstd_bomb),
    (Codec.LZ4, lz4_bomb),
    (Codec.SNAPPY, snappy_bomb),
    (Codec.SNAPPY, xerial_bomb),
]


def bomb(codec: Codec, make: Callable[[], bytes], base: int = 10) -> bytes:
    return sealed(with_body(batch(base, 10)[: HEADER.size], make(), codec))


@pytest.mark.parametrize(("codec", "make"), BOMBS)
def test_a_bomb_costs_the_bound_at_most_and_becomes_a_row_that_points_at_it(
    codec: Codec, make: Callable[[], bytes]
) -> None:
    raw = batch(0, 10) + bomb(codec, make) + batch(20, 5, codec)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = Run(SOURCE, raw, 0, bounds=SMALL, pointing=True)
    chunks = []
    while (chunk := run.take()) is not None:
        chunks.append(chunk)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert [(c.start, c.end, len(c)) for c in chunks] == [(0, 10, 10), (10, 20, 1), (20, 25, 5)]
    assert dict(chunks[1].unread) == {
        19: f"offsets 10 to 19: it decompresses to more than {BOUND} bytes; none of it was read"
    }
    assert chunks[1].values.to_list() == [None]
    assert grown < 8 * BOUND  # of 256 MiB


def test_more_records_than_are_read_are_pointed_at_without_being_built() -> None:
    (chunk,) = [Run(SOURCE, batch(0, 50), 7, bounds=BOUNDS._replace(batch_records=49), pointing=True).take()]
    assert chunk is not None
    assert (chunk.start, chunk.end, chunk.offsets.tolist()) == (7, 50, [49])
    assert "announces 50 records" in chunk.unread[49]


def test_of_topics_of_ours_it_is_an_error_and_a_wrong_checksum_is_one_everywhere() -> None:
    raw = bomb(*BOMBS[0])
    with pytest.raises(OversizeBatch):
        Run(SOURCE, raw, 0, bounds=SMALL).take()
    with pytest.raises(UnreadableBatch, match="checksum"):
        Run(SOURCE, raw[:-1] + b"?", 0, bounds=SMALL, pointing=True).take()
