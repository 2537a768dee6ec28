"""Workers in processes of their own join, leave, are killed and paused: every offset is committed once, in order."""

from __future__ import annotations

import itertools
import signal
from contextlib import AsyncExitStack

import pytest

from lepton_stream.runtime.kafka.connect import Connection
from tests.kafka.children import PARTITIONS, Child, all_committed, check_coverage, feed
from tests.kafka.helpers_kafka import MakeTopic

pytestmark = pytest.mark.kafka


async def test_every_offset_is_committed_once_while_workers_join_leave_and_are_killed(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(PARTITIONS)
    fed = itertools.count(1)
    children: list[Child] = []
    async with AsyncExitStack() as stack:

        async def join() -> Child:
            children.append(await stack.enter_async_context(Child(connection, name, topic)))
            await children[-1].until(lambda: bool(children[-1].owns()))
            return children[-1]

        async def more() -> int:
            await feed(connection, topic, 2000)
            return next(fed) * 2000

        a = await join()
        await more()
        b = await join()
        await more()
        c = await join()
        await more()
        b.process.kill()
        await b.ended()
        await more()
        await a.until(lambda: len(a.owns()) == 2)  # b's session has ended
        await c.leave()
        await more()
        await a.until(lambda: len(a.owns()) == PARTITIONS)
        d = await join()
        # Paused until the other owns everything: then it is a zombie that goes on with what it had.
        a.process.send_signal(signal.SIGSTOP)
        await more()
        await d.until(lambda: len(d.owns()) == PARTITIONS)
        a.process.send_signal(signal.SIGCONT)
        await a.until(lambda: len(a.owns()) == 2)
        end = await more()
        a.process.kill()
        await a.ended()
        await all_committed(connection, name, topic, end, [d])
        await d.leave()
    check_coverage(children, end)
    assert len({line[0] for child in children for line in child.said("assigned")}) >= 5  # generations


async def test_a_paused_twin_with_the_same_static_id_is_refused_and_ends(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(PARTITIONS)
    async with Child(connection, name, topic, "static-1", 6) as first:
        await feed(connection, topic, 500)
        await first.until(lambda: bool(first.said("ok")))
        first.process.send_signal(signal.SIGSTOP)
        async with Child(connection, name, topic, "static-1", 6) as second:
            await second.until(lambda: len(second.owns()) == PARTITIONS)
            # The generation is the same: only the member id tells them apart.
            assert second.said("assigned")[-1][0] == first.said("assigned")[-1][0]
            await feed(connection, topic, 500)
            await all_committed(connection, name, topic, 1000, [second])
            first.process.send_signal(signal.SIGCONT)
            assert await first.ended() == 6, first.errors[-2000:]
            assert first.said("ended")[0][0] == "ProcessFenced"
            # The second is left in peace.
            await feed(connection, topic, 500)
            await all_committed(connection, name, topic, 1500, [second])
            await second.leave()
            assert len(second.said("assigned")) == 1
    check_coverage([first, second], 1500)
