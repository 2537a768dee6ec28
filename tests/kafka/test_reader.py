"""Ranges read again outside the group, log bounds and trimming."""

from __future__ import annotations

import numpy as np
import pytest

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.errors import BrokerError, IntegrityError
from lepton_stream.runtime.kafka.chunks import BOUNDS
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.logs import Logs
from lepton_stream.runtime.kafka.produce import Producer, Record
from lepton_stream.runtime.kafka.reader import read_range
from lepton_stream.runtime.kafka.wire import Wire
from tests.kafka.helpers_kafka import MakeTopic

pytestmark = pytest.mark.kafka


async def filled(connection: Connection, tp: SourcePartition, n: int) -> None:
    async with Producer(connection, batch_bytes=4000) as producer:
        await producer.send_all([Record(tp, b"%020d" % i) for i in range(n)])


async def test_a_range_is_read_again_exactly(connection: Connection, make_topic: MakeTopic, name: str) -> None:
    tp = SourcePartition(await make_topic(), 0)
    await filled(connection, tp, 5000)
    bounds = BOUNDS._replace(chunk_bytes=20_000)
    chunks: list[Chunk] = [c async for c in read_range(connection, tp, 123, 4000, bounds=bounds)]
    assert len(chunks) > 3
    assert [c.start for c in chunks] == [123, *(c.end for c in chunks[:-1])]
    assert 4000 <= chunks[-1].end < 4500
    offsets = np.concatenate([c.offsets for c in chunks])
    assert offsets.tolist() == list(range(123, chunks[-1].end))
    assert [v for c in chunks for v in c.values.to_list()] == [b"%020d" % i for i in offsets]
    assert [c async for c in read_range(connection, tp, 7, 7)] == []


async def test_what_is_never_written_ends_in_an_error_that_names_it(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    tp = SourcePartition(await make_topic(), 0)
    await filled(connection, tp, 10)
    reading = read_range(connection, tp, 0, 11, patience=0.4)
    assert (await anext(reading)).end == 10
    with pytest.raises(BrokerError, match=r"nothing came for 0 s at offset 10 of 11"):
        await anext(reading)


async def test_logs_tell_their_bounds_and_are_trimmed(connection: Connection, make_topic: MakeTopic, name: str) -> None:
    topic = await make_topic(3)
    tps = [SourcePartition(topic, p) for p in range(3)]
    await filled(connection, tps[0], 100)
    await filled(connection, tps[2], 7)
    async with Wire(connection) as wire:
        logs = Logs(wire)
        assert await logs.ends(tps) == {tps[0]: 100, tps[1]: 0, tps[2]: 7}
        assert await logs.starts(tps) == dict.fromkeys(tps, 0)
        assert await logs.trim({tps[0]: 60, tps[2]: 7}) == {tps[0]: 60, tps[2]: 7}
        assert await logs.starts(tps) == {tps[0]: 60, tps[1]: 0, tps[2]: 7}
        with pytest.raises(BrokerError, match="partition 0: the broker says OffsetOutOfRange"):
            await logs.trim({tps[0]: 101})
        with pytest.raises(BrokerError, match="has no partition 9"):
            await logs.ends([SourcePartition(topic, 9)])
    with pytest.raises(IntegrityError, match="offset 59 is not in the log"):
        _ = [c async for c in read_range(connection, tps[0], 59, 100)]
