"""The flush interval: a claim waits for more behind its first record, but never for what cannot come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from lepton_stream.autopilot.seen import PrepareSeen
from lepton_stream.autopilot.setting import Setting
from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.memory.budget import budget_of
from lepton_stream.memory.held import Step
from lepton_stream.protocol.metadata import claim_of
from lepton_stream.protocol.ports import Position
from lepton_stream.protocol.preparer import Preparer
from lepton_stream.runtime.kafka import inbox as inbox_module
from lepton_stream.runtime.kafka import owners
from lepton_stream.runtime.kafka.closes import Closes
from lepton_stream.runtime.kafka.fetch import Fetched
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.inbox import Inbox, memory_of
from lepton_stream.runtime.kafka.keeper import Keeper
from lepton_stream.runtime.kafka.limits import Limits
from lepton_stream.runtime.kafka.linger import EARLY_S, PARTS, lingers
from lepton_stream.runtime.kafka.ports import KafkaSourcePort
from lepton_stream.runtime.kafka.steps import LoopCpu
from lepton_stream.telemetry.meter import Meter
from tests.core.streams import PLAN, chunk, new_job, offset_of, record
from tests.kafka.virtual_time import run

TP = SourcePartition("streams.v1", 0)
ME = Identity(1, "me")
FLUSH_S = 3.0
WAIT_S = FLUSH_S - lingers(FLUSH_S)
"""What is left of it for the owner: records have lingered at the broker for the rest."""
SETTLE_S = Limits().settle_s
NEAR = 0.01


class Commit(NamedTuple):
    """`at`: seconds since the beginning. `claim`: up to where, None for one that only completes."""

    at: float
    done: int
    claim: int | None


class Scene:
    """An owner with an inbox, and the outside that it needs; all in virtual time."""

    def __init__(self, setting: Setting, *, run: str | None = None, log_end: int = 10**6) -> None:
        self.limits, self.meter, self.setting = Limits(), Meter(), setting
        self.job = new_job(replace(PLAN, windows=PLAN.windows[:1]))
        self.names = SimpleNamespace(shuffle="shuffle", late="late", dead_letters="dlq")
        self.committer = self.producer = self.time = self.view = self
        self.closes = Closes()
        self.loop_cpu, self.seen_of_steps = LoopCpu(), list[PrepareSeen]()
        self.note_prepared = self.seen_of_steps.append
        self.keeps_metadata, self.era, self.seen = False, 0, None
        self.commits: list[Commit] = []
        self.commit_s = 0.0
        self.began = asyncio.get_running_loop().time()
        outside: Any = self
        port = KafkaSourcePort(outside, TP, ME)
        self.keeper = Keeper(budget_of((), None), self.job.plan, self.meter, lambda: 0)
        self.inbox = Inbox(TP, outside, 1 << 20)
        self.owner = owners.SourceOwner(Preparer(self.job, TP, port), outside, self.inbox, port, self.keeper, run=run)
        self._end, self._next = log_end, 0
        self.stamped = False

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time() - self.began

    async def work(self) -> asyncio.Task[None]:
        await self.owner.begin(Position(None, None, 0, self._end), None)
        return asyncio.create_task(self.owner.run())

    def records(self, number: int = 1) -> Chunk:
        """The next ones of the log."""
        first, self._next = self._next, self._next + number
        came = chunk(0, [record(1000.0 + n, number=n) for n in range(first, first + number)], first)
        if self.stamped:  # an event a second, told as it happens
            came.timestamp[:] = [(1000 + n) * 1_000_000 for n in range(first, first + number)]
        return came

    def comes(self, number: int = 1) -> None:
        self.inbox.put(Fetched(self.records(number), ME, 1, 1))

    async def commit(self, tp: SourcePartition, offset: int, metadata: str, _: Identity) -> None:
        self.commits.append(Commit(self.now, offset, claim_of(metadata, "here").claim))
        if self.commit_s:
            await asyncio.sleep(self.commit_s)

    async def send_all(self, records: Any, *_: Any) -> list[Any]:
        list(records)
        return []

    def learn(self, acks: Any) -> None: ...
    def sent(self, sizes: Any) -> None: ...
    def pause(self, tp: SourcePartition, reason: str = "") -> None: ...
    def resume(self, tp: SourcePartition, reason: str = "") -> None: ...

    def may_claim(self, high: int) -> bool:
        return True

    def windows_open(self) -> bool:
        return False

    @property
    def claims(self) -> list[tuple[float, int]]:
        return [(round(c.at, 6), c.claim) for c in self.commits if c.claim is not None]

    async def end(self, task: asyncio.Task[None]) -> None:
        await self.owner.give_back()
        await task


@pytest.fixture
def virtually(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Awaitable[None]]], None]:
    return lambda main: run(monkeypatch, [owners, inbox_module], main)


def setting(flush_s: float = FLUSH_S) -> Setting:
    return Setting(("partials",), flush_s)


Virtually = Callable[[Callable[[], Awaitable[None]]], None]


def test_without_an_interval_every_record_is_claimed_as_it_comes(virtually: Virtually) -> None:
    async def main() -> None:
        scene = Scene(setting(0.0))
        task = await scene.work()
        for _ in range(3):
            scene.comes()
            await asyncio.sleep(0.1)
        assert scene.claims == [(0.0, offset_of(1)), (0.1, offset_of(2)), (0.2, offset_of(3))]
        await scene.end(task)

    virtually(main)


def test_records_within_the_interval_are_claimed_together_when_it_is_over(virtually: Virtually) -> None:
    async def main() -> None:
        scene = Scene(setting())
        task = await scene.work()
        for _ in range(8):
            await asyncio.sleep(0.8)
            scene.comes()
        await asyncio.sleep(10)
        # the first comes at 0.8, and the fifth, which is the first of the next claim, at 4.0
        assert scene.claims == [(0.8 + WAIT_S, offset_of(4)), (4.0 + WAIT_S, offset_of(8))]
        await scene.end(task)

    virtually(main)


def test_what_may_let_a_window_close_is_not_waited_behind(virtually: Virtually) -> None:
    """Windows of ten seconds close three later: at 1003, 1013 and so on of event time."""

    async def main() -> None:
        scene = Scene(setting(0.0))
        task = await scene.work()
        scene.comes(2)  # up to 1001 is claimed at once, and the event time is known
        await asyncio.sleep(NEAR)
        scene.setting = setting(1000.0)
        scene.comes(1)
        await asyncio.sleep(2.5 - scene.now)
        assert [round(at, 1) for at, _ in scene.claims] == [0.0, 2.0]
        await scene.end(task)

    virtually(main)


def test_record_whose_stamp_tells_that_a_window_may_close_is_not_waited_behind(virtually: Virtually) -> None:
    """Records are stamped as they come here, and event time goes on with the clock."""

    async def main() -> None:
        scene = Scene(setting(0.0))
        scene.stamped = True
        task = await scene.work()
        scene.comes(2)
        await asyncio.sleep(NEAR)
        scene.setting = setting(1000.0)
        await asyncio.sleep(1.0)
        scene.comes()  # 1002 is not enough
        await asyncio.sleep(0.99)
        assert len(scene.claims) == 1
        assert scene.owner.next_close.at_s > scene.began + scene.now
        scene.comes()
        await asyncio.sleep(NEAR / 2)
        assert [round(at, 2) for at, _ in scene.claims] == [0.0, 2.0]
        await scene.end(task)

    virtually(main)


def test_what_is_much_is_claimed_shortly_before_a_window_may_close(virtually: Virtually) -> None:
    """The next close is expected at 1003 of event time, two seconds behind the record of 1001."""

    async def main() -> None:
        scene = Scene(setting(0.0))
        scene.limits = Limits(claim_bytes=PARTS * memory_of(chunk(0, [record(1.0)])))
        task = await scene.work()
        scene.comes(2)
        await asyncio.sleep(0.1)
        scene.setting = setting(1000.0)
        close_s = scene.owner.next_close.at_s - scene.began
        scene.comes()
        await asyncio.sleep(close_s - EARLY_S - scene.now + NEAR / 2)
        assert [at for at, _ in scene.claims[1:]] == [pytest.approx(close_s - EARLY_S, abs=1e-4)]
        await scene.end(task)

    virtually(main)


def test_after_a_step_that_took_long_its_partition_rests_for_a_moment(virtually: Virtually) -> None:
    async def main() -> None:
        scene = Scene(setting(0.0))
        scene.commit_s = 0.004
        task = await scene.work()
        for _ in range(20):
            scene.comes()
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.1)
        assert scene.claims == [(0.0, offset_of(1)), (0.004 + 4 * 0.004, offset_of(20))]
        await scene.end(task)

    virtually(main)


def test_enough_bytes_are_claimed_at_once(virtually: Virtually) -> None:
    async def main() -> None:
        scene = Scene(setting())
        scene.limits = Limits(claim_bytes=2000)
        task = await scene.work()
        scene.comes()
        await asyncio.sleep(1.0)
        assert scene.claims == []
        scene.comes(40)
        assert scene.inbox.bytes > 2000
        await asyncio.sleep(NEAR)
        assert scene.claims[0][0] == 1.0
        await scene.end(task)

    virtually(main)


def test_inbox_that_takes_nothing_more_is_not_waited_for(virtually: Virtually) -> None:
    async def main() -> None:
        scene = Scene(setting())
        scene.inbox._most = memory_of(chunk(0, [record(1.0)])) // 2
        task = await scene.work()
        scene.comes()
        assert scene.inbox.paused
        await asyncio.sleep(NEAR)
        assert scene.claims == [(0.0, offset_of(1))]
        await scene.end(task)

    virtually(main)


def test_the_end_of_a_run_is_not_waited_for(virtually: Virtually) -> None:
    async def main() -> None:
        scene = Scene(setting(), run="r", log_end=offset_of(2))
        task = await scene.work()
        scene.comes()
        await asyncio.sleep(1.0)
        assert scene.claims == []
        scene.comes()
        await asyncio.sleep(NEAR)
        assert scene.claims == [(1.0, offset_of(2))]
        assert scene.owner.preparer.finished
        await scene.end(task)

    virtually(main)


def test_partition_that_is_given_back_ends_the_wait_and_claims_nothing(virtually: Virtually) -> None:
    async def main() -> None:
        scene = Scene(setting(1000.0))
        task = await scene.work()
        scene.comes()
        await asyncio.sleep(1.0)
        began = scene.now
        await scene.end(task)
        assert scene.now - began < NEAR
        assert scene.claims == []

    virtually(main)


def test_short_memory_ends_the_wait(virtually: Virtually) -> None:
    async def main() -> None:
        scene = Scene(setting(1000.0))
        task = await scene.work()
        scene.comes()
        await asyncio.sleep(0.5)
        scene.keeper.step = Step(pause=True)
        await asyncio.sleep(scene.limits.watch_s + NEAR)
        assert len(scene.claims) == 1
        await scene.end(task)

    virtually(main)


def test_setting_that_changes_is_followed(virtually: Virtually) -> None:
    async def main() -> None:
        scene = Scene(setting(1000.0))
        task = await scene.work()
        scene.comes()
        await asyncio.sleep(2.0)
        assert scene.claims == []
        scene.setting = setting(0.0)
        await asyncio.sleep(scene.limits.watch_s)
        assert len(scene.claims) == 1
        await scene.end(task)

    virtually(main)


def test_what_was_sent_is_completed_in_time_while_more_is_waited_for(virtually: Virtually) -> None:
    async def main() -> None:
        scene = Scene(setting(1.0))
        task = await scene.work()
        scene.comes()
        await asyncio.sleep(1.0 + NEAR)
        assert [c.claim for c in scene.commits] == [offset_of(1)]
        scene.comes()
        await asyncio.sleep(1.5 * SETTLE_S)
        assert [(c.done, c.claim) for c in scene.commits] == [(0, offset_of(1)), (offset_of(1), None)]
        assert round(scene.commits[-1].at - scene.commits[0].at, 6) == SETTLE_S
        await asyncio.sleep(FLUSH_S)
        assert [c.claim for c in scene.commits][2:] == [offset_of(2), None]
        await scene.end(task)

    virtually(main)
