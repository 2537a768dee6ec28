"""Groups on a real broker that place partitions by load: alone, mixed with others, under static ids."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.protocol.admin import DescribeGroupsRequest

from lepton_stream.autopilot.decision import Decision
from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.assignor import EQUAL, NAME, LoadAssignor, offer
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.credentials import client_options
from lepton_stream.runtime.kafka.wire import Coordinator, Wire
from tests.kafka.helpers_kafka import MakeTopic, identity_of, member

pytestmark = pytest.mark.kafka
PARTITIONS = 8
Member = tuple[AIOKafkaConsumer, LoadAssignor]


@asynccontextmanager
async def by_load(
    connection: Connection, group: str, topic: str, decided: Callable[[Decision], None], instance: str | None = None
) -> AsyncIterator[Member]:
    """A member that offers both placements."""
    consumer = AIOKafkaConsumer(
        group_id=group,
        group_instance_id=instance,
        enable_auto_commit=False,
        session_timeout_ms=6000,
        heartbeat_interval_ms=200,
        **client_options(connection),
    )
    await consumer.start()
    assignor = LoadAssignor(instance or "member", decided)
    offer(consumer._coordinator, assignor)
    consumer.subscribe([topic])
    try:
        yield consumer, assignor
    finally:
        await consumer.stop()


async def protocol_of(connection: Connection, group: str) -> tuple[str, int]:
    """The placement that the group has chosen, and how many members it has; nothing before it is stable."""
    async with Wire(connection) as wire:
        answer = await wire.coordinated(Coordinator.GROUP, group, DescribeGroupsRequest([group]))
    ((_, _, state, _, protocol, found),) = (row[:6] for row in answer.groups)
    return (protocol, len(found)) if state == "Stable" else ("", 0)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.05)


async def settled(connection: Connection, group: str, *members: AIOKafkaConsumer) -> str:
    """All of these are in the group, which has given every partition to one of them; its placement."""
    async with asyncio.timeout(30):
        while True:
            protocol, count = await protocol_of(connection, group)
            generations = {m._coordinator.generation for m in members}
            if count == len(members) and len(generations) == 1 and _owned(*members) == PARTITIONS:
                return protocol
            await asyncio.sleep(0.05)


def _owned(*members: AIOKafkaConsumer) -> int:
    return len({tp for m in members for tp in m.assignment()})


def measured(topic: str, load: float, capacity: float) -> tuple[dict[SourcePartition, float | None], float]:
    return dict.fromkeys((SourcePartition(topic, p) for p in range(PARTITIONS)), load), capacity


async def test_a_group_of_our_members_places_by_load_whoever_asks(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic, decisions = await make_topic(PARTITIONS), list[Decision]()
    async with AsyncExitStack() as stack:

        async def join() -> Member:
            return await stack.enter_async_context(by_load(connection, name, topic, decisions.append))

        (first, slow), (second, fast) = [await join(), await join()]
        assert await settled(connection, name, first, second) == NAME
        assert (len(first.assignment()), len(second.assignment())) == (4, 4)
        slow.measured, fast.measured = measured(topic, 0.1, 0.25), measured(topic, 0.1, 1.0)
        for asking in (first, second):  # the leader, and another one
            before = asking._coordinator.generation
            kept = second.assignment()
            asking._coordinator.request_rejoin()
            await until(lambda b=before: min(m._coordinator.generation for m in (first, second)) > b)  # type: ignore[misc]
            assert await settled(connection, name, first, second) == NAME
            assert len(first.assignment()) <= 2
            assert second.assignment() >= kept
            assert second._coordinator.generation == before + 1
            assert fast.word is not None
            assert fast.word == slow.word
            assert fast.word.asked
    assert any(d.choice == "load" for d in decisions)


async def test_a_member_joins_once_and_not_once_for_each_placement_on_offer(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(PARTITIONS)
    async with by_load(connection, name, topic, lambda _: None) as (consumer, _):
        await settled(connection, name, consumer)
        assert identity_of(consumer).generation == 1


async def test_a_group_in_which_somebody_knows_equal_placement_only_forms_and_changes_when_it_may(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(PARTITIONS)
    async with by_load(connection, name, topic, lambda _: None) as (ours, assignor):
        assert await settled(connection, name, ours) == NAME
        async with member(connection, name, topic) as old:
            assert await settled(connection, name, ours, old) == EQUAL
            assert len(ours.assignment()) == len(old.assignment()) == PARTITIONS // 2
            assert assignor.word is None
            async with by_load(connection, name, topic, lambda _: None) as (third, _):
                assert await settled(connection, name, ours, old, third) == EQUAL
        assert await settled(connection, name, ours) == NAME
        assert assignor.word is not None


async def test_a_member_of_an_equal_group_may_meet_ours_too(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(PARTITIONS)
    async with member(connection, name, topic) as old:
        await settled(connection, name, old)
        async with by_load(connection, name, topic, lambda _: None) as (ours, _):
            assert await settled(connection, name, ours, old) == EQUAL


async def test_static_members_restart_without_a_rebalance_and_are_placed_when_they_ask(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(PARTITIONS)
    async with AsyncExitStack() as stack:

        async def join(instance: str) -> Member:
            return await stack.enter_async_context(by_load(connection, name, topic, lambda _: None, instance))

        (first, slow), (second, fast) = await join("s-0"), await join("s-1")
        assert await settled(connection, name, first, second) == NAME
        generation, own = first._coordinator.generation, second.assignment()
        await second.stop()
        again, fast = await join("s-1")
        assert await settled(connection, name, first, again) == NAME
        assert again._coordinator.generation == generation
        assert again.assignment() == own
        slow.measured, fast.measured = measured(topic, 0.1, 0.25), measured(topic, 0.1, 1.0)
        first._coordinator.request_rejoin()
        await until(lambda: again._coordinator.generation > generation)
        assert await settled(connection, name, first, again) == NAME
        assert again.assignment() > own
