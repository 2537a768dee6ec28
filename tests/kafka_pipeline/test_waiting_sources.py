"""A source that waits because it is ahead of the others has told them how far it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from lepton_stream.autopilot.setting import Setting
from lepton_stream.chunk import SourcePartition
from lepton_stream.core import Job
from lepton_stream.memory.budget import budget_of
from lepton_stream.protocol.metadata import claim_of
from lepton_stream.protocol.ports import Position
from lepton_stream.protocol.preparer import Preparer
from lepton_stream.runtime.kafka.closes import Closes
from lepton_stream.runtime.kafka.group import Committed, Group
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.inbox import Inbox
from lepton_stream.runtime.kafka.keeper import Keeper
from lepton_stream.runtime.kafka.limits import Limits
from lepton_stream.runtime.kafka.owners import SourceOwner
from lepton_stream.runtime.kafka.ports import KafkaSourcePort
from lepton_stream.runtime.kafka.steps import LoopCpu
from lepton_stream.runtime.kafka.view import Seen, View
from lepton_stream.telemetry.meter import Meter
from tests.core.streams import PLAN, chunk, new_job, record

HOUR_S = 3600
CHUNKS = 8


class Outside:
    """A group with one source, whose log holds more than is taken here; whoever waits looks at once."""

    def __init__(self, job: Job, tp: SourcePartition) -> None:
        self.job, self.names, self.limits = (
            job,
            SimpleNamespace(shuffle="shuffle", late="late", dead_letters="dlq"),
            Limits(),
        )
        self.view = View(job.plan, Group(None, "g"), None, [tp], [], Limits(max_skew_us=HOUR_S * 1_000_000))  # type: ignore[arg-type]
        self.view.next_look = self.look  # type: ignore[method-assign]
        self.committer = self.producer = self.time = self
        self.committed: dict[SourcePartition, Committed | None] = {}
        self.loop_cpu, self.closes = LoopCpu(), Closes()
        self.looks, self.meter, self.setting = 0, Meter(), Setting(job.routes)

    async def look(self) -> None:
        """What others see of the group."""
        self.looks += 1
        assert self.looks < 2 * CHUNKS, "it waits for itself"
        self.view.seen = Seen(dict(self.committed), dict.fromkeys(self.view.sources, 10**6))

    async def commit(self, tp: SourcePartition, offset: int, metadata: str, _: Identity) -> None:
        """The committer."""
        self.committed[tp] = Committed(offset, metadata)

    async def send_all(self, records: Any, *_: Any) -> list[Any]:
        """The producer."""
        list(records)
        return []

    def learn(self, acks: Any) -> None:
        """The broker's time."""


def test_a_source_never_waits_for_what_only_it_can_tell() -> None:
    tp = SourcePartition("events", 0)
    plan = replace(PLAN, windows=PLAN.windows[:1])
    outside: Any = Outside(new_job(plan), tp)
    port = KafkaSourcePort(outside, tp, Identity(1, "me"))
    preparer = Preparer(outside.job, tp, port)
    keeper = Keeper(budget_of((), None), plan, outside.meter, lambda: 0)
    owner = SourceOwner(preparer, outside, Inbox(tp, outside, 1), port, keeper, run=None)

    async def take_all() -> None:
        preparer.begin(Position(None, None, 0, 10**6))
        for n in range(CHUNKS):  # each of them two hours after the one before; nothing is settled in between
            await outside.look()
            await owner.preparer.take(chunk(0, [record(2 * HOUR_S * (n + 1), number=n)], n))

    asyncio.run(take_all())
    last = outside.committed[tp]
    assert claim_of(last.metadata, "here").claim == preparer.done > last.offset > 0
