"""From the bytes of a fetch to chunks: offsets without a gap, control and aborted batches, bounds, checksums."""

from __future__ import annotations

import numpy as np
import pytest
from aiokafka.record._crecords import DefaultRecordBatch, DefaultRecordBatchBuilder

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.runtime.kafka.batches import HEADER, sealed, with_body
from lepton_stream.runtime.kafka.chunks import BOUNDS, Run
from lepton_stream.runtime.kafka.codecs import Codec
from lepton_stream.runtime.kafka.errors import UnreadableBatch

pytestmark = pytest.mark.usefixtures("path")

SOURCE = SourcePartition("readings", 3)
T0 = 1_700_000_000_000


def batch(
    base: int, n: int, codec: int = 0, size: int = 20, producer: int = -1, control: bytes = b"", spare: int = 0
) -> bytes:
    """A batch of n records from offset `base`; `spare`: offsets at its end that compaction has emptied."""
    builder = DefaultRecordBatchBuilder(2, codec, producer >= 0, producer, 0, 0, 1 << 30)
    for i in range(n):
        key = control or (None if i % 3 == 0 else b"k%d" % (base + i))
        value = None if i % 5 == 4 else b"v%d" % (base + i) + b"." * size
        builder.append(i, T0 + base + i, key, value, [("h", b"x"), ("h", b"y")] if i % 2 else [])
    raw = bytes(builder.build())
    header = list(HEADER.unpack_from(raw))
    header[0], header[6] = base, header[6] + spare
    if control:
        header[5] |= 0x20
    return sealed(HEADER.pack(*header) + raw[HEADER.size :])


def chunks(run: Run) -> list[Chunk]:
    out = []
    while (chunk := run.take()) is not None:
        out.append(chunk)
    return out


def one(raw: bytes, start: int = 0) -> Chunk:
    (chunk,) = chunks(Run(SOURCE, raw, start))
    return chunk


@pytest.mark.parametrize("codec", list(Codec))
def test_records_come_out_as_they_went_in(codec: Codec) -> None:
    raw = batch(100, 50, codec) + batch(150, 7, codec)
    chunk = one(raw, 100)
    expected = [r for part in (batch(100, 50), batch(150, 7)) for r in DefaultRecordBatch(part)]
    assert (chunk.source, chunk.start, chunk.end, len(chunk)) == (SOURCE, 100, 157, 57)
    assert chunk.offsets.tolist() == list(range(100, 157))
    assert chunk.timestamp.tolist() == [(T0 + o) * 1000 for o in range(100, 157)]
    assert chunk.values.to_list() == [r.value for r in expected]
    assert None in chunk.values.to_list()
    assert chunk.keys is not None
    assert chunk.keys.to_list() == [r.key for r in expected]
    assert chunk.headers is not None
    assert list(map(list, chunk.headers)) == [list(r.headers) for r in expected]
    assert ("h", b"y") in chunk.headers[1]


def test_a_fetch_that_starts_inside_a_batch_gives_only_what_was_asked_for() -> None:
    chunk = one(batch(100, 50, Codec.LZ4), 130)
    assert (chunk.start, chunk.end) == (130, 150)
    assert chunk.offsets.tolist() == list(range(130, 150))
    assert chunk.values[0] == b"v130" + b"." * 20
    assert len(chunk.values) == len(chunk.timestamp) == len(chunk.keys or []) == 20


def test_a_batch_below_the_start_is_left_out() -> None:
    assert one(batch(0, 10) + batch(10, 10), 10).offsets.tolist() == list(range(10, 20))


def test_offsets_emptied_by_compaction_are_covered_by_the_interval() -> None:
    chunk = one(batch(0, 10, spare=5) + batch(20, 1))
    assert (chunk.start, chunk.end, chunk.offsets.tolist()) == (0, 21, [*range(10), 20])


def test_a_cut_batch_at_the_end_is_left_for_the_next_fetch() -> None:
    chunk = one(batch(0, 10) + batch(10, 10)[:-1])
    assert chunk.end == 10
    assert chunks(Run(SOURCE, batch(0, 10)[:40], 0)) == []


def test_control_and_aborted_batches_hold_nothing_but_move_the_offset() -> None:
    abort, commit = b"\0\0\0\0", b"\0\0\0\1"
    raw = b"".join(
        [
            batch(0, 5, producer=7),  # aborted
            batch(5, 5, producer=8),
            batch(10, 1, producer=7, control=abort),
            batch(11, 5, producer=7),  # the next transaction of the same producer counts
            batch(16, 1, producer=7, control=commit),
            batch(17, 1, producer=8, control=commit),
        ]
    )
    (committed,) = chunks(Run(SOURCE, raw, 0, aborted=[(7, 0)]))
    assert committed.offsets.tolist() == [*range(5, 10), *range(11, 16)]
    assert (committed.start, committed.end) == (0, 18)
    (everything,) = chunks(Run(SOURCE, raw, 0))
    assert everything.offsets.tolist() == [*range(10), *range(11, 16)]
    (nothing,) = chunks(Run(SOURCE, batch(40, 1, producer=7, control=commit), 40))
    assert (len(nothing), nothing.start, nothing.end) == (0, 40, 41)


def test_a_large_run_becomes_chunks_that_follow_each_other() -> None:
    raw = b"".join(batch(i * 10, 10, Codec.ZSTD, size=1000) for i in range(20))
    parts = chunks(Run(SOURCE, raw, 3, bounds=BOUNDS._replace(chunk_bytes=30_000)))
    assert len(parts) > 3
    assert [p.start for p in parts] == [3, *(p.end for p in parts[:-1])]
    assert parts[-1].end == 200
    assert np.concatenate([p.offsets for p in parts]).tolist() == list(range(3, 200))


def test_a_flipped_bit_is_found_and_named() -> None:
    bad = bytearray(batch(10, 10, Codec.LZ4))
    bad[-5] ^= 4
    run = Run(SOURCE, batch(0, 10) + bytes(bad), 0)
    first = run.take()
    assert first is not None
    assert (first.start, first.end) == (0, 10)  # what comes before it is not lost
    with pytest.raises(UnreadableBatch, match=r"readings partition 3, offsets 10 to 19: its checksum") as caught:
        run.take()
    assert (caught.value.source, caught.value.first, caught.value.last) == (SOURCE, 10, 19)
    assert run.next == 10


def test_a_bomb_is_named_with_its_offsets() -> None:
    raw = batch(70, 100, Codec.GZIP, size=10_000)
    assert len(raw) < 50_000
    with pytest.raises(UnreadableBatch, match="offsets 70 to 169: it decompresses to more than 100000 bytes"):
        Run(SOURCE, raw, 70, bounds=BOUNDS._replace(batch_bytes=100_000)).take()


def test_more_records_than_allowed_are_refused_before_they_are_built() -> None:
    with pytest.raises(UnreadableBatch, match="announces 50 records"):
        Run(SOURCE, batch(0, 50), 0, bounds=BOUNDS._replace(batch_records=49)).take()


def test_broken_records_under_a_good_checksum_are_refused() -> None:
    raw = batch(0, 10)
    for body in (raw[HEADER.size : -3], b"\xff" * 40, b""):
        bad = sealed(with_body(raw[: HEADER.size], body, Codec.NONE))
        with pytest.raises(UnreadableBatch, match="offsets 0 to 9"):
            Run(SOURCE, bad, 0).take()


@pytest.mark.parametrize("name", [b"\xff\xfe", b"\xc3"])
def test_a_header_name_that_is_no_text_costs_its_record_and_its_neighbours_nothing(name: bytes) -> None:
    builder = DefaultRecordBatchBuilder(2, 0, -1, 0, 0, 0, 1 << 30)
    for i, header in enumerate(["plain", "q" * len(name), "plain"]):
        builder.append(i, T0 + i, None if i == 2 else b"k%d" % i, b"v%d" % i, [(header, b"\x00"), ("empty", None)])
    raw = sealed(bytes(builder.build()).replace(b"q" * len(name), name))
    chunk = one(batch(0, 2) + bytes([0] * 7 + [2]) + raw[8:])
    assert chunk.offsets.tolist() == [0, 1, 2, 3, 4]
    assert chunk.values.to_list()[2:] == [b"v0", b"v1", b"v2"]
    assert chunk.timestamp.tolist()[2:] == [(T0 + i) * 1000 for i in range(3)]
    assert chunk.keys is not None
    assert chunk.keys.to_list()[2:] == [b"k0", b"k1", None]
    assert chunk.headers is not None
    told = "".join(f"\\x{byte:02x}" for byte in name)
    assert [list(h) for h in chunk.headers][2:] == [
        [("plain", b"\x00"), ("empty", None)], [(told, b"\x00"), ("empty", None)], [("plain", b"\x00"), ("empty", None)]
    ]  # fmt: skip


def test_broken_records_with_such_a_name_are_refused() -> None:
    builder = DefaultRecordBatchBuilder(2, 0, -1, 0, 0, 0, 1 << 30)
    builder.append(0, T0, b"k", b"v", [("nn", b"x")])
    raw = bytes(builder.build()).replace(b"nn", b"\xff\xff")
    for body in (raw[HEADER.size : -1], raw[HEADER.size :] + b"?", raw[HEADER.size : -3] + b"\xff\xff\xff"):
        with pytest.raises(UnreadableBatch, match="its records are broken"):
            Run(SOURCE, sealed(with_body(raw[: HEADER.size], body, Codec.NONE)), 0).take()


def test_headers_by_the_thousand_are_kept() -> None:
    many = [(f"h{n}", b"%d" % n) for n in range(10_000)]
    builder = DefaultRecordBatchBuilder(2, 0, -1, 0, 0, 0, 1 << 30)
    builder.append(0, T0, b"k", b"v", many)
    chunk = one(bytes(builder.build()))
    assert chunk.headers is not None
    assert list(chunk.headers[0]) == many


def test_an_old_message_format_is_refused_by_name() -> None:
    old = bytearray(batch(0, 1))
    old[16] = 1
    with pytest.raises(UnreadableBatch, match="message format 1"):
        Run(SOURCE, bytes(old), 0).take()
