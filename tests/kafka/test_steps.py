"""What a step took: every CPU second of the loop goes to one part of one step, or is told as something else."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable

import pytest

from lepton_stream.autopilot.seen import PrepareSeen, SectionSeen
from lepton_stream.autopilot.setting import Setting
from lepton_stream.core import Prepared, SourceState, prepare
from lepton_stream.runtime.kafka import inbox as inbox_module
from lepton_stream.runtime.kafka import owners
from lepton_stream.runtime.kafka.compress import BY_NAME, Compression
from lepton_stream.runtime.kafka.steps import LoopCpu, Packer, SourceSteps
from tests.core.streams import chunk, new_job, record
from tests.kafka.test_flush import FLUSH_S, WAIT_S, Scene
from tests.kafka.virtual_time import run

MADE: Prepared = prepare(job := new_job(), SourceState(job), chunk(0, [record(1000.0, number=n) for n in range(5)]))


class Cpu:
    """A CPU clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now

    def works(self, seconds: float) -> None:
        self.now += seconds


class Slow:
    """A codec whose work takes CPU."""

    def __init__(self, cpu: Cpu, seconds: float) -> None:
        self._cpu, self._seconds = cpu, seconds

    def compress(self, body: bytes):  # type: ignore[no-untyped-def]
        self._cpu.works(self._seconds)
        return Compression("none").compress(body)


class Steps:
    """Steps of one source, and what was noted."""

    def __init__(self, loop: LoopCpu) -> None:
        self.noted: list[PrepareSeen] = []
        self.laps: list[str] = []
        self.steps = SourceSteps(loop, self.laps.append, self.noted.append)


def test_each_second_of_a_step_goes_where_it_belongs() -> None:
    cpu = Cpu()
    one = Steps(LoopCpu(cpu))
    cpu.works(100)  # nobody's
    with one.steps.step(5, waited_s=0.25):
        cpu.works(1)  # the claim
        one.steps.claimed()
        for stage in ("decode", "clean", "group", "aggregate", "group", "encode"):
            cpu.works(len(one.laps))
            one.steps.lap(stage)
        cpu.works(8)  # dead letters
        one.steps.prepared(MADE, cpu())
        cpu.works(9)  # requests
        packer = one.steps.packing(1000, Slow(cpu, 10))
        packer.compress(b"x" * 100)
        packer.compress(b"y" * 200)
        cpu.works(11)  # acknowledgements
    (seen,) = one.noted
    assert (seen.common_cpu_s, seen.route_cpu_s, seen.compress_cpu_s) == (2 + 3 + 4 + 6 + 8, 5 + 7, 20)
    assert seen.flush_cpu_s == 1 + 9 + 11
    assert (seen.records, seen.sections, seen.waited_s, seen.frame_bytes) == (5, MADE.seen, 0.25, 1000)
    assert seen.sent_bytes == 300 + 2 * 61
    assert one.laps == ["other", "other", "decode", "clean", "group", "aggregate", "group", "encode"]


def test_steps_at_the_same_time_share_the_loop_and_nothing_is_counted_twice() -> None:
    draw, cpu = random.Random(4), Cpu()
    loop = LoopCpu(cpu)
    sources = [Steps(loop) for _ in range(3)]
    known = 0.0

    def work() -> float:
        took = draw.random()
        cpu.works(took)
        return took

    open_ = [source.steps.step(1, 0.0) for source in sources]
    began = cpu()
    for step in open_:
        step.__enter__()
        work()
    for source in draw.sample(sources, 3):
        source.steps.claimed()
        known += work()
        source.steps.lap("encode")
        source.steps.prepared(MADE, cpu())
        source.steps.packing(1, BY_NAME["none"])
        work()
        folded = work()
        loop.told(folded)
        known += folded
    for step in draw.sample(open_, 3):
        work()
        step.__exit__(None, None, None)
    rest = sum(source.noted[0].flush_cpu_s for source in sources)
    assert rest + known == pytest.approx(cpu() - began)


def test_step_that_failed_leaves_no_trace() -> None:
    cpu = Cpu()
    loop = LoopCpu(cpu)
    one = Steps(loop)

    def fail() -> None:
        with one.steps.step(1, 0.0):
            one.steps.claimed()
            cpu.works(5)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    cpu.works(70)
    with one.steps.step(1, 0.0):
        one.steps.claimed()
        one.steps.prepared(MADE, cpu())
        one.steps.packing(1, BY_NAME["none"])
        cpu.works(2)
    assert [seen.flush_cpu_s for seen in one.noted] == [2]


def test_range_that_another_owner_claimed_is_no_step() -> None:
    one = Steps(LoopCpu(Cpu()))
    one.steps.claimed()  # a commit before
    with one.steps.step(1, 0.0):
        one.steps.lap("group")
        one.steps.prepared(MADE, 0.0)
        one.steps.packing(1, BY_NAME["none"])
    assert one.noted == []


def test_work_apart_is_told_and_goes_on_as_if_it_were_awaited() -> None:
    cpu = Cpu()
    loop = LoopCpu(cpu)

    async def work(event: asyncio.Event) -> str:
        cpu.works(3)
        try:
            await event.wait()
        except asyncio.CancelledError:
            cpu.works(4)
            raise
        cpu.works(5)
        return "done"

    async def other(event: asyncio.Event) -> None:
        cpu.works(6)
        event.set()

    async def awaited() -> str:
        event = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_awaiting(loop.apart(work(event))))
            await asyncio.sleep(0)
            group.create_task(other(event))
        return task.result()

    async def cancelled() -> None:
        task = asyncio.create_task(_awaiting(loop.apart(work(asyncio.Event()))))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    loop.begin()
    assert asyncio.run(awaited()) == "done"
    assert loop.end() == 6
    loop.begin()
    asyncio.run(cancelled())
    assert (loop.end(), cpu.now) == (0, 50 + 3 + 6 + 5 + 3 + 4)


async def _awaiting(work: Awaitable[str]) -> str:
    return await work


def test_error_of_work_apart_comes_through() -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        raise KeyError("x")

    async def main() -> None:
        with pytest.raises(KeyError):
            await LoopCpu(Cpu()).apart(fails())

    asyncio.run(main())


def test_packer_gives_what_its_codec_gives() -> None:
    packer = Packer(LoopCpu(), BY_NAME["zstd-1"])
    body = b"frame " * 1000
    assert packer.compress(body) == BY_NAME["zstd-1"].compress(body)
    assert 0 < packer.sent_bytes < len(body)


def test_owner_tells_of_each_claim_how_long_it_waited_and_what_was_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        scene = Scene(Setting(("mixed",), FLUSH_S))
        task = await scene.work()
        for _ in range(4):
            scene.comes()
            await asyncio.sleep(0.8)
        scene.setting = Setting(("rows",), 0.0)
        scene.comes()
        await asyncio.sleep(1.0)
        await scene.end(task)
        assert [(s.records, round(s.waited_s, 6)) for s in scene.seen_of_steps] == [(4, WAIT_S), (1, 0.0)]

    run(monkeypatch, [owners, inbox_module], main)


def test_owner_tells_sections_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        scene = Scene(Setting(("mixed",)))
        task = await scene.work()
        scene.comes(12)  # from 1000.0 s on, one a second: windows of ten seconds hold ten of them, and two
        await asyncio.sleep(0.1)
        await scene.end(task)
        (seen,) = scene.seen_of_steps
        assert seen.sections == (SectionSeen("mixed", rows=12, cells=2, hot_rows=12, hot_cells=2),)
        assert seen.frame_bytes > 200
        assert min(seen.common_cpu_s, seen.route_cpu_s, seen.flush_cpu_s) > 0
        assert sum((seen.common_cpu_s, seen.route_cpu_s, seen.flush_cpu_s)) < 1

    run(monkeypatch, [owners, inbox_module], main)
