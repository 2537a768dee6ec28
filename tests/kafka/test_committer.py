"""Commits against a real group coordinator: metadata, fencing, one request for many."""

from __future__ import annotations

import asyncio

import pytest

from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.committer import Committer
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.errors import MetadataTooLarge, ProcessFenced, Refused, StaleOwner
from lepton_stream.runtime.kafka.group import Committed, Group
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.wire import Coordinator, Wire
from tests.kafka.helpers_kafka import MakeTopic, identity_of, member

pytestmark = pytest.mark.kafka


async def test_metadata_comes_back_as_written(connection: Connection, make_topic: MakeTopic, name: str) -> None:
    topic = await make_topic(2)
    p0, p1 = SourcePartition(topic, 0), SourcePartition(topic, 1)
    async with Wire(connection) as wire, member(connection, name, topic) as m:
        group = Group(wire, name)
        text = '{"claim": 9, "high": "µ"}' + "x" * 4000
        await Committer(wire, name).commit(p0, 7, text.encode(), identity_of(m))
        assert await group.committed([p0, p1]) == {p0: Committed(7, text), p1: None}
        assert not await group.is_empty()
    async with Wire(connection) as wire:
        assert await Group(wire, name).is_empty()


async def test_metadata_above_the_limit_is_refused_before_it_is_sent(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    tp = SourcePartition(await make_topic(), 0)
    async with Wire(connection) as wire, member(connection, name, tp.topic) as m:
        committer = Committer(wire, name)
        with pytest.raises(MetadataTooLarge, match="4097 bytes"):
            await committer.commit(tp, 1, "µ" * 2048 + "x", identity_of(m))
        await committer.commit(tp, 1, "µ" * 2048, identity_of(m))
        assert committer.requests == 1


async def test_commits_of_many_tasks_share_a_request_and_keep_their_order(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(8)
    tps = [SourcePartition(topic, p) for p in range(8)]
    async with Wire(connection) as wire, member(connection, name, topic) as m:
        committer, who = Committer(wire, name), identity_of(m)
        await asyncio.gather(*(committer.commit(tp, o, f"{o}", who) for o in range(5) for tp in tps))
        # The oldest of each partition together: five requests for forty commits.
        assert committer.requests == 5
        assert await Group(wire, name).committed(tps) == {tp: Committed(4, "4") for tp in tps}


async def test_request_waits_a_moment_for_commits_that_come_a_little_later(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    """By what the last one took: on a broker that gathers commits itself, to miss one costs several milliseconds."""
    tps = [SourcePartition(await make_topic(3), p) for p in range(3)]
    async with Wire(connection) as wire, member(connection, name, tps[0].topic) as m:
        committer, who = Committer(wire, name), identity_of(m)
        await committer.commit(tps[0], 1, "", who)
        first = asyncio.create_task(committer.commit(tps[1], 1, "", who))
        for _ in range(3):
            await asyncio.sleep(0)
        await asyncio.gather(first, committer.commit(tps[2], 1, "", who))
        assert committer.requests == 2


async def test_a_commit_of_an_old_generation_is_refused_and_changes_nothing(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    topic = await make_topic(2)
    tp = SourcePartition(topic, 0)
    async with Wire(connection) as wire, member(connection, name, topic) as first:
        committer, old = Committer(wire, name), identity_of(first)
        await committer.commit(tp, 3, "claim of the old owner", old)
        async with member(connection, name, topic) as second:
            new = identity_of(second)
            assert new.generation > old.generation
            await committer.commit(tp, 9, "claim of the new owner", new)
            # One request each: the stale one fails alone, the good one does not suffer.
            stale, good = await asyncio.gather(
                committer.commit(tp, 4, "late", old), committer.commit(tp, 10, "next", new), return_exceptions=True
            )
            assert type(stale) is Refused
            assert good is None
            assert await Group(wire, name).committed([tp]) == {tp: Committed(10, "next")}


async def test_a_commit_repeated_after_a_rejoin_does_not_overwrite_the_new_owner(
    connection: Connection, make_topic: MakeTopic, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await make_topic(2)
    tp = SourcePartition(topic, 0)
    async with Wire(connection) as wire, member(connection, name, topic) as first:
        committer, old = Committer(wire, name), identity_of(first)
        stuck, go_on, real = asyncio.Event(), asyncio.Event(), wire._client.send

        async def lose_the_first(node: int, request: object, **options: object) -> object:
            monkeypatch.setattr(wire._client, "send", real)
            stuck.set()
            await go_on.wait()
            raise TimeoutError

        await Group(wire, name).committed([tp])  # the coordinator is known: the next request is the commit
        monkeypatch.setattr(wire._client, "send", lose_the_first)
        late = asyncio.create_task(committer.commit(tp, 4, "of the old owner", old))
        await stuck.wait()
        async with member(connection, name, topic) as second, Wire(connection, name="second") as other:
            await Committer(other, name).commit(tp, 9, "of the new owner", identity_of(second))
            assert identity_of(first).generation > old.generation  # the client did rejoin
            go_on.set()
            with pytest.raises(StaleOwner):
                await late
            assert await Group(other, name).committed([tp]) == {tp: Committed(9, "of the new owner")}


async def test_a_twin_with_the_same_static_id_fences_the_first(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    tp = SourcePartition(await make_topic(), 0)
    told: list[ProcessFenced] = []
    async with Wire(connection) as wire, member(connection, name, tp.topic, instance="twin") as first:
        old, committer = identity_of(first), Committer(wire, name, told.append)
        await committer.commit(tp, 1, "first", old)
        async with member(connection, name, tp.topic, instance="twin") as second:
            new = identity_of(second)
            assert new.generation == old.generation  # only the member id tells them apart
            assert new.member_id != old.member_id
            await Committer(wire, name).commit(tp, 2, "second", new)
            for _ in range(2):
                with pytest.raises(ProcessFenced, match="twin"):
                    await committer.commit(tp, 3, "late", old)
            assert len(told) == 1
            assert committer.requests == 2  # the third was refused without asking the broker
            assert await Group(wire, name).committed([tp]) == {tp: Committed(2, "second")}


async def test_a_commit_without_membership_is_never_sent(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    tp = SourcePartition(await make_topic(), 0)
    async with Wire(connection) as wire:
        committer = Committer(wire, name)
        for nobody in (Identity(-1, ""), Identity(-1, "x"), Identity(3, "")):
            with pytest.raises(StaleOwner, match="not a member"):
                await committer.commit(tp, 5, "", nobody)
        assert committer.requests == 0
        assert await Group(wire, name).committed([tp]) == {tp: None}


async def test_a_moved_coordinator_is_found_again_under_the_same_identity(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    tp = SourcePartition(await make_topic(), 0)
    async with Wire(connection, patience=20) as wire, member(connection, name, tp.topic) as m:
        wire._coordinators[Coordinator.GROUP, name] = 99  # a node that does not exist
        await Committer(wire, name).commit(tp, 6, "found", identity_of(m))
        assert await Group(wire, name).committed([tp]) == {tp: Committed(6, "found")}


async def test_an_unknown_topic_is_an_error_of_its_own_caller(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    tp = SourcePartition(await make_topic(), 0)
    async with Wire(connection) as wire, member(connection, name, tp.topic) as m:
        committer, who = Committer(wire, name), identity_of(m)
        good, bad = await asyncio.gather(
            committer.commit(tp, 1, "", who),
            committer.commit(SourcePartition(name + "-absent", 0), 1, "", who),
            return_exceptions=True,
        )
        assert good is None
        assert isinstance(bad, BrokerError)
        assert "absent partition 0" in str(bad)


async def test_apache_kafka_is_seen_to_keep_metadata_and_the_probe_leaves_nothing(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    tp = SourcePartition(await make_topic(), 0)
    async with Wire(connection) as wire:
        assert await Group(wire, name).keeps_metadata(tp)
        assert await Group(wire, f"{name}.probe").committed([tp]) == {tp: None}


async def test_closing_frees_whoever_waits(connection: Connection, make_topic: MakeTopic, name: str) -> None:
    tp = SourcePartition(await make_topic(), 0)
    async with Wire(connection) as wire:
        committer = Committer(wire, name)
        waiting = [asyncio.create_task(committer.commit(tp, o, "", Identity(1, "somebody"))) for o in range(3)]
        await asyncio.sleep(0)
        await committer.close()
        assert [type(e) for e in await asyncio.gather(*waiting, return_exceptions=True)] == [StaleOwner] * 3
