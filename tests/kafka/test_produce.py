"""Sends against a real broker: all acknowledged or an error, fenced by epoch, nothing after a failure."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from lepton_stream.autopilot.setting import Codec
from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.compress import BY_NAME, Compression
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.credentials import client_options
from lepton_stream.runtime.kafka.errors import Fenced, SendFailed
from lepton_stream.runtime.kafka.fenced import FencedProducer, producer_id, supports_fencing
from lepton_stream.runtime.kafka.logs import Logs
from lepton_stream.runtime.kafka.produce import Producer, Record
from lepton_stream.runtime.kafka.wire import Wire
from tests.kafka.helpers_kafka import MakeTopic

pytestmark = pytest.mark.kafka
PLAIN = Compression("none")
T0 = 1_700_000_000_000


async def contents(connection: Connection, tp: SourcePartition) -> list[tuple[bytes | None, bytes | None]]:
    """Key and value of all records of a partition."""
    async with Wire(connection) as wire:
        end = (await Logs(wire).ends([tp]))[tp]
    records: list[ConsumerRecord] = []
    async with AIOKafkaConsumer(**client_options(connection)) as consumer:
        consumer.assign([TopicPartition(*tp)])
        consumer.seek(TopicPartition(*tp), 0)
        while len(records) < end:
            records.append(await consumer.getone())
    return [(r.key, r.value) for r in records]


@pytest.mark.parametrize("compression", [PLAIN, Compression("lz4", 1), Compression("zstd", 1)], ids=lambda c: c.codec)
async def test_every_record_is_acknowledged_with_its_own_offset(
    connection: Connection, make_topic: MakeTopic, name: str, compression: Compression
) -> None:
    topic = await make_topic(2)
    records = [
        Record(
            SourcePartition(topic, i % 2), b"value %d " % i * 50, b"key %d" % i, [("h", b"x")], 1_700_000_000_000 + i
        )
        for i in range(1000)
    ]
    async with Producer(connection, compression=compression, batch_bytes=20_000) as producer:
        acks = await producer.send_all(records)
        tombstone = await producer.send_all([Record(SourcePartition(topic, 0), None, b"gone")])
        assert await producer.send_all([]) == []
    assert [(a.offset, a.append_ms) for a in acks] == [(i // 2, None) for i in range(1000)]
    assert tombstone[0].offset == 500
    for p in range(2):
        expected = [(r.key, r.value) for r in records if r.to.partition == p]
        assert await contents(connection, SourcePartition(topic, p)) == expected + ([(b"gone", None)] if p == 0 else [])


async def test_codec_may_change_with_every_send(connection: Connection, make_topic: MakeTopic, name: str) -> None:
    topic = await make_topic(1)
    to, value, sizes = SourcePartition(topic, 0), b"so many words " * 500, []
    order: tuple[Codec, ...] = ("lz4", "none", "zstd-3", "lz4", "zstd-1", "none")
    async with Producer(connection) as producer:
        producer.note_sent = lambda _, size: sizes.append(size)
        for codec in order:
            await producer.send_all([Record(to, b"%s: %s" % (codec.encode(), value))], BY_NAME[codec])
    assert await contents(connection, to) == [(None, b"%s: %s" % (codec.encode(), value)) for codec in order]
    plain = [size > len(value) for size in sizes]
    assert plain == [codec == "none" for codec in order]


async def test_what_many_tasks_have_for_a_partition_meanwhile_goes_together(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic, batches, many = await make_topic(2), list[str](), 40
    parts = [SourcePartition(topic, p) for p in range(2)]

    async def send(producer: Producer, task: int) -> list[int]:
        records = [Record(tp, b"%d %d" % (task, n)) for tp in parts for n in range(3)]
        return [ack.offset for ack in await producer.send_all(records)]

    async with Producer(connection) as producer:
        await send(producer, 0)
        producer.note_sent = lambda to, _: batches.append(to)
        offsets = await asyncio.gather(*(send(producer, task) for task in range(1, many)))
    assert len(batches) <= 4, "one that had left, and one of all that waited, in each partition"
    for p, tp in enumerate(parts):
        found = [value for _, value in await contents(connection, tp)]
        told = {
            o: b"%d %d" % (task, n) for task, of in enumerate(offsets, 1) for n, o in enumerate(of[3 * p : 3 * p + 3])
        }
        assert len(told) == 3 * (many - 1)
        assert {o: found[o] for o in told} == told


async def test_task_that_is_cancelled_takes_nothing_of_others_with_it(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    to = SourcePartition(await make_topic(), 0)
    async with Producer(connection) as producer:
        tasks = [asyncio.create_task(producer.send_all([Record(to, b"%d" % n)])) for n in range(5)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks[0].cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError)
        assert len({acks[0].offset for acks in done[1:] if isinstance(acks, list)}) == 4
        await producer.send_all([Record(to, b"more")])
    assert {value for _, value in await contents(connection, to)} >= {b"1", b"2", b"3", b"4", b"more"}


async def test_all_that_wait_hear_why_nothing_more_leaves(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(2, settings={"max.message.bytes": "2000"})
    large, small = SourcePartition(topic, 0), SourcePartition(topic, 1)
    async with Producer(connection, compression=PLAIN) as producer:
        sends = [producer.send_all([Record(large, b"x" * 9000)])]
        sends += [producer.send_all([Record(large, b"1"), Record(small, b"2")]) for _ in range(3)]
        for error in await asyncio.gather(*sends, return_exceptions=True):
            assert isinstance(error, SendFailed)
            assert "records not acknowledged" in str(error)
        with pytest.raises(SendFailed, match="not acknowledged"):
            await producer.send_all([Record(small, b"more")])


async def test_the_brokers_append_time_comes_with_the_acknowledgement(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(1, settings={"message.timestamp.type": "LogAppendTime"})
    async with Producer(connection) as producer:
        (ack,) = await producer.send_all([Record(SourcePartition(topic, 0), b"x", timestamp_ms=1)])
    assert ack.append_ms is not None
    assert ack.append_ms > 1_600_000_000_000


async def test_after_a_refused_record_nothing_more_leaves(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(2, settings={"max.message.bytes": "20000"})
    p0, p1 = SourcePartition(topic, 0), SourcePartition(topic, 1)
    async with Producer(connection, compression=PLAIN, batch_bytes=10_000) as producer:
        await producer.send_all([Record(p1, b"before")])
        sizes = (10, 30_000, 10)
        with pytest.raises(SendFailed, match="partition 0: 1 records not acknowledged"):
            await producer.send_all([Record(p0, b"." * size) for size in sizes])
        with pytest.raises(SendFailed, match="partition 0"):
            await producer.send_all([Record(p1, b"after")])
    assert [len(v or b"") for _, v in await contents(connection, p0)] == [10]
    assert await contents(connection, p1) == [(None, b"before")]


async def test_a_partition_that_does_not_exist_is_named(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(1)
    async with Producer(connection) as producer:
        with pytest.raises(SendFailed, match="has no partition 7"):
            await producer.send_all([Record(SourcePartition(topic, 7), b"x")])


async def test_a_late_result_of_the_old_owner_is_refused_after_the_takeover(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    results = SourcePartition(await make_topic(1), 0)
    async with Wire(connection) as wire:
        assert await supports_fencing(wire, name)
        old = await FencedProducer(connection, producer_id(name, 0), wire).open()
        for i in range(3):
            await old.send_all([Record(results, b"old %d" % i, b"k")])
        new = await FencedProducer(connection, producer_id(name, 0), wire).open()
        assert old.epoch is not None
        assert new.epoch is not None
        assert new.epoch[0] == old.epoch[0]
        assert new.epoch[1] > old.epoch[1]
        await new.send_all([Record(results, b"new 0", b"k")])
        for _ in range(2):
            with pytest.raises(Fenced, match="a newer owner"):
                await old.send_all([Record(results, b"old, late", b"k")])
        await new.send_all([Record(results, b"new 1", b"k"), Record(results, b"new 2", b"k")])
        await old.close()
        await new.close()
    values = [v for _, v in await contents(connection, results)]
    assert values == [b"old 0", b"old 1", b"old 2", b"new 0", b"new 1", b"new 2"]


async def test_a_zombie_that_fenced_its_successor_is_fenced_by_the_next(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    tp = SourcePartition(await make_topic(1), 0)
    async with Wire(connection) as wire:
        owners = [await FencedProducer(connection, producer_id(name, 0), wire).open() for _ in range(3)]
        await owners[2].send_all([Record(tp, b"2")])
        refused = await asyncio.gather(*(o.send_all([Record(tp, b"late")]) for o in owners[:2]), return_exceptions=True)
        assert [type(e) for e in refused] == [Fenced, Fenced]
        for owner in owners:
            await owner.close()
    assert await contents(connection, tp) == [(None, b"2")]


async def test_results_of_other_partitions_go_on_under_their_own_epochs(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(2)
    async with Wire(connection) as wire:
        a = await FencedProducer(connection, producer_id(name, 0), wire).open()
        b = await FencedProducer(connection, producer_id(name, 1), wire).open()
        again = await FencedProducer(connection, producer_id(name, 0), wire).open()
        await again.send_all([Record(SourcePartition(topic, 0), b"x")])
        await b.send_all([Record(SourcePartition(topic, 1), b"y")])
        with pytest.raises(Fenced):
            await a.send_all([Record(SourcePartition(topic, 0), b"z")])
        for producer in (a, b, again):
            await producer.close()


async def test_a_plain_producer_stands_in_where_fencing_is_off(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    tp = SourcePartition(await make_topic(1), 0)
    async with Wire(connection) as wire, FencedProducer(connection, name, wire, fencing=False) as producer:
        assert producer.epoch is None
        await producer.send_all([Record(tp, b"x")])
    assert await contents(connection, tp) == [(None, b"x")]


async def test_a_broker_that_is_not_there_is_told_with_cause_and_remedy() -> None:
    nobody = Connection("127.0.0.1:1")
    for thing in (Producer(nobody), Wire(nobody)):
        with pytest.raises(BrokerError, match=r"127\.0\.0\.1:1 \(PLAINTEXT\): nothing listens there; start the broker"):
            await thing.open()
