"""Work is measured from wait to wait: what it does counts, what it waits for does not, and nothing else changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from lepton_stream import clock
from lepton_stream.runtime.kafka.metered import Metered


def busy(seconds: float) -> None:
    until = clock.thread_cpu_s() + seconds
    while clock.thread_cpu_s() < until:
        pass


class Notes:
    def __init__(self) -> None:
        self.cpu_s, self.wall_s, self.steps = 0.0, 0.0, 0

    def __call__(self, cpu_s: float, wall_s: float) -> None:
        self.cpu_s, self.wall_s, self.steps = self.cpu_s + cpu_s, self.wall_s + wall_s, self.steps + 1


async def test_only_its_own_steps_count_however_long_it_waits_and_whatever_others_do_meanwhile() -> None:
    notes, waits = Notes(), asyncio.Event()

    async def other() -> None:
        busy(0.3)
        waits.set()

    async def work() -> str:
        busy(0.02)
        await waits.wait()
        busy(0.02)
        await asyncio.sleep(0)
        return "done"

    task = asyncio.create_task(other())
    assert await Metered(work(), notes) == "done"
    await task
    assert 0.04 <= notes.cpu_s < 0.2
    assert notes.wall_s >= notes.cpu_s * 0.9
    assert notes.steps == 3


async def test_an_error_comes_out_as_it_was_and_one_that_is_awaited_comes_in() -> None:
    async def fails() -> None:
        raise KeyError("inner")

    async def work() -> str:
        try:
            await asyncio.create_task(fails())
        except KeyError:
            await asyncio.sleep(0)
            return "caught"
        return "missed"

    assert await Metered(work(), Notes()) == "caught"
    notes = Notes()
    with pytest.raises(KeyError, match="inner"):
        await Metered(fails(), notes)
    assert notes.steps == 1


async def _cancelled(work: Callable[[], Awaitable[str]]) -> asyncio.Task[str]:
    async def metered() -> str:
        return await Metered(work(), Notes())

    task = asyncio.create_task(metered())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return task


async def test_a_cancellation_reaches_the_work_which_may_clean_up_and_end() -> None:
    cleaned: list[bool] = []

    async def work() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)
        return "never"

    assert (await _cancelled(work)).cancelled()
    assert cleaned == [True]


async def test_a_timeout_within_the_work_is_its_own() -> None:
    async def work() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            return "timed out"
        return "never"

    assert await Metered(work(), Notes()) == "timed out"
