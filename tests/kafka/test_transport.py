"""The chunk transport on a real group: explicit starts, exact coverage, back-pressure, typed ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from aiokafka import AIOKafkaProducer

from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import BrokerError, IntegrityError
from lepton_stream.runtime.kafka.app import App, Timing, make_app, serve
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.credentials import client_options
from lepton_stream.runtime.kafka.fetch import Fetched
from lepton_stream.runtime.kafka.group import Group
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.wire import Wire
from tests.kafka.helpers_kafka import MakeTopic, OnePartition

pytestmark = pytest.mark.kafka
QUICK = Timing(session=6, heartbeat=0.2, rebalance=6, request=10)


class Reader:
    """A worker that keeps what it reads; where it starts is given."""

    def __init__(self, connection: Connection, group: str, topic: str, starts: Mapping[int, int], **options: object):
        self.starts, self.fetched = starts, list[Fetched]()
        self.assignments, self.revokes = list[tuple[frozenset[SourcePartition], Identity]](), list[Identity]()
        self.changed = asyncio.Event()
        self.app: App = make_app(connection, group, self, timing=QUICK, **options)  # type: ignore[arg-type]
        self.stop = asyncio.Event()

        async def read(stream: object) -> None:
            async for fetched in self.app.partitions.read(stream):
                self.fetched.append(fetched)
                self.changed.set()

        self.app.agent(self.app.chunk_topic(topic), name="read")(read)
        self.task = asyncio.create_task(serve(self.app, self.stop))

    async def assigned(
        self, partitions: frozenset[SourcePartition], identity: Identity
    ) -> Mapping[SourcePartition, int]:
        self.assignments.append((partitions, identity))
        self.changed.set()
        return {tp: self.starts[tp.partition] for tp in partitions if tp.partition in self.starts}

    async def revoked(self, partitions: frozenset[SourcePartition], identity: Identity) -> None:
        self.revokes.append(identity)
        self.changed.set()

    def offsets(self, partition: int) -> list[int]:
        chunks = [f.chunk for f in self.fetched if f.chunk.source.partition == partition]
        return [o for c in chunks for o in c.offsets.tolist()]

    async def until(self, condition: object) -> None:
        """Wait until the condition holds; a worker that ended tells why instead."""
        assert callable(condition)
        async with asyncio.timeout(30):
            while not condition():
                self.changed.clear()
                changed = asyncio.create_task(self.changed.wait())
                await asyncio.wait([changed, self.task], return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if self.task.done():
                    await self.task

    async def end(self) -> None:
        self.stop.set()
        await self.task


async def fill(connection: Connection, topic: str, partitions: int, n: int, first: int = 0, **options: object) -> None:
    """n records into each partition: value = decimal number from `first` on."""
    async with AIOKafkaProducer(**client_options(connection), **options) as producer:
        futures = [
            await producer.send(topic, b"%d" % i, partition=p)
            for i in range(first, first + n)
            for p in range(partitions)
        ]
        await asyncio.gather(*futures)


async def test_reading_begins_exactly_where_the_worker_says(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(3)
    await fill(connection, topic, 3, 500)
    reader = Reader(connection, name, topic, {0: 0, 1: 321, 2: 500})
    await reader.until(lambda: reader.offsets(0)[-1:] == reader.offsets(1)[-1:] == [499])
    await fill(connection, topic, 3, 5, first=500)
    await reader.until(lambda: all(reader.offsets(p)[-1:] == [504] for p in range(3)))
    await reader.end()
    assert [reader.offsets(p) for p in range(3)] == [list(range(s, 505)) for s in (0, 321, 500)]
    ((partitions, identity),) = reader.assignments
    assert partitions == {SourcePartition(topic, p) for p in range(3)}
    assert {f.identity for f in reader.fetched} == {identity}
    assert identity.is_member
    assert reader.fetched[-1].log_end == 505
    # Whatever Faust's timer, agents and shutdown wanted to commit did not arrive.
    async with Wire(connection) as wire:
        assert set((await Group(wire, name).committed(partitions)).values()) == {None}


async def test_a_worker_that_is_given_partitions_while_it_stops_leaves_the_group(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    reader = Reader(connection, name, await make_topic(1), {0: 0})
    await reader.until(lambda: reader.assignments)
    reader.app._on_rebalance_when_stopped()  # what Faust does then, in the main loop
    await reader.end()
    async with Wire(connection) as wire:
        assert await Group(wire, name).is_empty()


async def test_whatever_asks_faust_to_commit_commits_nothing(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    tp = SourcePartition(await make_topic(1), 0)
    await fill(connection, tp.topic, 1, 20)
    reader = Reader(connection, name, tp.topic, {0: 0})
    await reader.until(lambda: len(reader.offsets(0)) == 20)
    consumer = reader.app.consumer
    for ask in (
        consumer.commit(),
        consumer.force_commit({tp}),
        consumer._commit({tp: 20}),
        consumer.commit_and_end_transactions(),
        consumer.on_task_error(RuntimeError()),
        consumer.wait_empty(),
        reader.app.commit({tp}),
        consumer.perform_seek(),
    ):
        assert not await ask
    with pytest.raises(AssertionError, match="Faust tried to commit"):
        await consumer._thread.commit({tp: 20})
    await reader.end()
    async with Wire(connection) as wire:
        assert await Group(wire, name).committed([tp]) == {tp: None}


async def test_an_error_of_the_worker_itself_ends_it_and_is_raised(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(1)
    reader = Reader(connection, name, topic, {0: 0})

    async def refuse(partitions: frozenset[SourcePartition], identity: Identity) -> Mapping[SourcePartition, int]:
        raise IntegrityError("the plan has changed")

    reader.assigned = refuse  # type: ignore[method-assign]
    with pytest.raises(IntegrityError, match="the plan has changed"):
        await reader.until(lambda: bool(reader.fetched))


async def test_a_partition_left_out_is_started_later_and_restarted_elsewhere(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(2)
    await fill(connection, topic, 2, 100)
    late = SourcePartition(topic, 1)
    reader = Reader(connection, name, topic, {0: 0})
    await reader.until(lambda: len(reader.offsets(0)) == 100)
    assert reader.offsets(1) == []
    ((_, identity),) = reader.assignments
    await reader.app.partitions.start(late, 40, identity)
    await reader.until(lambda: len(reader.offsets(1)) == 60)
    await reader.app.partitions.start(late, 90, identity)
    await reader.until(lambda: len(reader.offsets(1)) == 70)
    await reader.end()
    assert reader.offsets(1) == [*range(40, 100), *range(90, 100)]


async def test_a_paused_partition_holds_nobody_up(connection: Connection, make_topic: MakeTopic, name: str) -> None:
    topic = await make_topic(2)
    reader = Reader(connection, name, topic, {0: 0, 1: 0})
    await reader.until(lambda: bool(reader.assignments))
    held = SourcePartition(topic, 0)
    reader.app.partitions.pause(held, "skew")
    reader.app.partitions.pause(held, "shuffle")
    await fill(connection, topic, 2, 2000)
    await reader.until(lambda: len(reader.offsets(1)) == 2000)
    reader.app.partitions.resume(held, "skew")
    await fill(connection, topic, 2, 2000, first=2000)
    await reader.until(lambda: len(reader.offsets(1)) == 4000)
    assert reader.offsets(0) == []
    reader.app.partitions.resume(held, "shuffle")
    await reader.until(lambda: len(reader.offsets(0)) == 4000)
    await reader.end()
    assert reader.offsets(0) == list(range(4000))


async def test_an_offset_outside_the_log_is_refused_and_never_reset(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(1)
    await fill(connection, topic, 1, 10)
    reader = Reader(connection, name, topic, {0: 99})
    with pytest.raises(IntegrityError, match="offset 99 is not in the log"):
        await reader.until(lambda: bool(reader.fetched))
    assert reader.fetched == []


async def test_aborted_transactions_are_not_read(connection: Connection, make_topic: MakeTopic, name: str) -> None:
    topic = await make_topic(1)
    async with AIOKafkaProducer(transactional_id=name, **client_options(connection)) as producer:
        for t in range(12):
            await producer.begin_transaction()
            for i in range(5):
                await producer.send(topic, b"%d" % (t * 5 + i), partition=0)
            await (producer.abort_transaction() if t % 3 == 2 else producer.commit_transaction())
    reader = Reader(connection, name, topic, {0: 0})
    await reader.until(lambda: bool(reader.fetched) and reader.fetched[-1].chunk.end == 72)
    await reader.end()
    values = [v for f in reader.fetched for v in f.chunk.values.to_list()]
    assert values == [b"%d" % i for i in range(60) if i // 5 % 3 != 2]
    starts, ends = [f.chunk.start for f in reader.fetched], [f.chunk.end for f in reader.fetched]
    assert starts == [0, *ends[:-1]]


async def test_a_worker_that_joins_takes_over_and_chunks_of_the_old_identity_end(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(2)
    await fill(connection, topic, 2, 10)
    first = Reader(connection, name, topic, {0: 0, 1: 0})
    await first.until(lambda: len(first.fetched) >= 2)
    ((_, old),) = first.assignments
    second = Reader(connection, name, topic, {0: 10, 1: 10})
    await second.until(lambda: bool(second.assignments))
    await first.until(lambda: len(first.assignments) == 2)
    assert first.revokes == [old]
    (mine, new), (theirs, other) = first.assignments[1], second.assignments[-1]
    assert (len(mine), len(theirs), mine & theirs) == (1, 1, frozenset())
    assert new.generation == other.generation > old.generation
    first.starts = {0: 10, 1: 10}
    await second.end()
    # Leaving politely gives the partition back at once.
    await first.until(lambda: len(first.assignments[-1][0]) == 2)
    await first.end()


async def test_a_broker_that_is_not_there_ends_the_worker_with_cause_and_remedy() -> None:
    app = make_app(Connection("127.0.0.1:1"), "g", OnePartition())
    with pytest.raises(BrokerError, match="nothing listens there; start the broker"):
        await serve(app, asyncio.Event())
