"""The compiled splitter gives what aiokafka's reader gives, for every batch, and for broken ones the same error."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from aiokafka.record._crecords import DefaultRecordBatchBuilder
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.chunk import Chunk, SourcePartition, join
from lepton_stream.runtime.kafka.batches import HEADER, sealed, with_body
from lepton_stream.runtime.kafka.chunks import BOUNDS, Run
from lepton_stream.runtime.kafka.codecs import Codec
from lepton_stream.runtime.kafka.errors import UnreadableBatch
from lepton_stream.runtime.kafka.spans import SpanHeaders
from tests.compiled.both_ways import both, compiled

SOURCE = SourcePartition("readings", 3)
T0 = 1_700_000_000_000

Record = tuple[int, int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]


def batch(records: Sequence[Record], base: int = 0, codec: int = 0, *, appended: int | None = None) -> bytes:
    """Records of (offset delta, ms, key, value, headers); `appended`: the broker's time for all of them."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, 0, 0, 1 << 30)
    for delta, ms, key, value, headers in records:
        builder.append(delta, ms, key, value, headers)
    raw = bytes(builder.build())
    header = list(HEADER.unpack_from(raw))
    header[0] = base
    if appended is not None:
        header[5], header[8] = header[5] | 0x08, appended
    return sealed(HEADER.pack(*header) + raw[HEADER.size :])


def usual(n: int, *, headers: bool = False) -> list[Record]:
    return [
        (
            i,
            T0 + i,
            None if i % 3 == 0 else b"k%d" % i,
            None if i % 7 == 6 else b"value %d" % i,
            [("trace", b"\x00\xff"), ("é", None), ("", b"")] if headers and i % 2 else [],
        )
        for i in range(n)
    ]


def told(chunk: Chunk) -> tuple[object, ...]:
    keys = None if chunk.keys is None else chunk.keys.to_list()
    headers = None if chunk.headers is None else [list(h) for h in chunk.headers]
    arrays = chunk.offsets.tolist(), chunk.timestamp.tolist(), chunk.values.to_list()
    return (chunk.source, chunk.start, chunk.end, *arrays, keys, headers)


def read(raw: bytes, start: int = 0, chunk_bytes: int = BOUNDS.chunk_bytes) -> list[object]:
    """All chunks, or what was said of the first batch that cannot be read."""
    run, out = Run(SOURCE, raw, start, bounds=BOUNDS._replace(chunk_bytes=chunk_bytes)), list[object]()
    try:
        while (chunk := run.take()) is not None:
            out.append(told(chunk))
    except UnreadableBatch as error:
        out.append(str(error))
    return out


def same(raw: bytes, start: int = 0, chunk_bytes: int = BOUNDS.chunk_bytes) -> list[object]:
    portable, fast = both(lambda: read(raw, start, chunk_bytes))
    assert fast == portable
    return fast


short = st.none() | st.binary(max_size=200)
headers = st.lists(st.tuples(st.text(max_size=3), st.none() | st.binary(max_size=3)), max_size=2)
records = st.lists(st.tuples(st.integers(T0 - 10**6, T0 + 10**9), short, short, headers), min_size=1, max_size=8)


@settings(max_examples=150)
@given(st.lists(st.tuples(records, st.sampled_from(list(Codec)), st.booleans()), max_size=4), st.integers(0, 12))
def test_batches_of_any_records_are_split_alike(
    batches: list[tuple[list[tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]], Codec, bool]],
    start: int,
) -> None:
    raw, base = b"", 0
    for rows, codec, appended in batches:
        whole = [(i, *row) for i, row in enumerate(rows)]
        raw += batch(whole, base, codec, appended=T0 + 5 if appended else None)
        base += len(rows)
    same(raw, start)
    same(raw, start, chunk_bytes=100)


def test_offsets_with_holes_and_the_largest_deltas_are_read_alike() -> None:
    holes: list[Record] = [(i * 1000, T0, b"k", b"v", []) for i in range(40)]
    same(batch(holes, 2**62))
    same(batch([(0, 0, None, None, []), (2**31 - 1, 2**62, None, b"", [])], 5))


def test_records_without_a_time_are_told_alike() -> None:
    same(batch([(i, -1, None, b"x", []) for i in range(3)]))


def test_headers_are_read_when_asked_for_and_survive_cutting_and_joining() -> None:
    raw = batch(usual(20), 0, Codec.LZ4) + batch(usual(20, headers=True), 20, Codec.ZSTD) + batch(usual(5), 40)
    same(raw)
    with compiled():
        (whole,) = [Run(SOURCE, raw, 0).take()]
    assert whole is not None
    assert isinstance(whole.headers, SpanHeaders)
    head, tail = whole.cut(27)
    assert told(join([head, tail])) == told(whole)
    assert next(iter(tail.headers or [])) == [("trace", b"\x00\xff"), ("é", None), ("", b"")]


def test_chunks_of_spans_join_without_a_list_of_values() -> None:
    raw = batch(usual(30), 0, Codec.LZ4) + batch(usual(30), 30)
    with compiled():
        run = Run(SOURCE, raw, 0, bounds=BOUNDS._replace(chunk_bytes=10))
        parts = [run.take(), run.take()]
        together = join([part for part in parts if part is not None])
        assert together.values.in_spans
        assert together.keys is not None
        assert together.keys.in_spans
        assert together.keys.spans()[0] is together.values.spans()[0]
    assert told(together)[3:] == told(whole_of(raw))[3:]


def whole_of(raw: bytes) -> Chunk:
    with compiled(on=False):
        chunk = Run(SOURCE, raw, 0).take()
    assert chunk is not None
    return chunk


def test_mutated_records_give_the_same_records_or_the_same_error() -> None:
    dice = random.Random(2)
    bases = [batch(usual(6, headers=h), 100) for h in (False, True)]
    outcomes = []
    for _ in range(6_000):
        raw = dice.choice(bases)
        body = bytearray(raw[HEADER.size :])
        for _ in range(dice.choice((1, 1, 2))):
            at = dice.randrange(len(body))
            body[at : at + dice.choice((0, 1, 1, 1, 3))] = bytes(
                dice.choice((0, 1, 2, 127, 128, 255, dice.randrange(256))) for _ in range(dice.choice((0, 1, 1, 2, 11)))
            )
        # What follows a broken batch in memory must not be read: the last byte ends every number.
        outcomes.append(same(sealed(with_body(raw[: HEADER.size], bytes(body) + b"\0", Codec.NONE)), 100))
        outcomes.append(same(sealed(with_body(raw[: HEADER.size], bytes(body), Codec.NONE)), 100))
    broken = sum(isinstance(o[-1], str) for o in outcomes)
    assert 0.4 < broken / len(outcomes) < 0.98


@pytest.mark.parametrize("records", [-1, 0, 5, 7, 2**31 - 1])
def test_a_wrong_number_of_records_is_the_same_error(records: int) -> None:
    raw = batch(usual(6), 100)
    header = list(HEADER.unpack_from(raw))
    header[12] = records
    out = same(sealed(HEADER.pack(*header) + raw[HEADER.size :]), 100)
    assert isinstance(out[-1], str)


@pytest.mark.parametrize("codec", [Codec.GZIP, Codec.SNAPPY, Codec.LZ4, Codec.ZSTD])
def test_damaged_compressed_bodies_are_the_same_error(codec: Codec) -> None:
    dice, good = random.Random(4), batch([(i, T0, None, b"value " * 20, []) for i in range(50)], 0, codec)
    for _ in range(150):
        body = bytearray(good[HEADER.size :])
        body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
        same(sealed(good[: HEADER.size] + bytes(body[: len(body) - dice.choice((0, 0, 1, 9))])))


@pytest.mark.parametrize("codec", list(Codec))
def test_a_batch_above_the_bound_is_refused_whatever_its_codec(codec: Codec) -> None:
    raw = batch([(i, T0, None, b"v" * 5000, []) for i in range(50)], 0, codec)
    for bound in (10_000, 250_000, 300_000):
        portable, fast = both(lambda: _told_below(raw, bound))  # noqa: B023  (called at once)
        assert fast == portable
        assert ("more than" in fast) == (codec != Codec.NONE and bound < 250_400)


def _told_below(raw: bytes, bound: int) -> str:
    try:
        chunk = Run(SOURCE, raw, 0, bounds=BOUNDS._replace(batch_bytes=bound)).take()
    except UnreadableBatch as error:
        return str(error)
    return "" if chunk is None else str(told(chunk))
