"""Work that is done up to its first wait by who calls."""

from __future__ import annotations

import asyncio

import pytest

from lepton_stream.runtime.kafka.begun import begun


async def test_what_has_nothing_to_wait_for_is_done_at_once() -> None:
    done: list[str] = []

    async def inner() -> None:
        done.append("inner")

    async def work() -> None:
        await inner()
        done.append("work")

    assert begun(work()) is None
    assert done == ["inner", "work"]


async def test_the_rest_goes_on_where_it_waits() -> None:
    gate, done = asyncio.Event(), []

    async def work() -> None:
        done.append("begun")
        await gate.wait()
        await asyncio.sleep(0)
        done.append("ended")

    left = begun(work())
    assert left is not None
    assert done == ["begun"]
    task = asyncio.create_task(left)
    await asyncio.sleep(0)
    gate.set()
    await task
    assert done == ["begun", "ended"]


async def test_errors_come_through_from_both_parts() -> None:
    async def at_once() -> None:
        raise KeyError("at once")

    async def later() -> None:
        await asyncio.sleep(0)
        raise KeyError("later")

    with pytest.raises(KeyError, match="at once"):
        begun(at_once())
    left = begun(later())
    assert left is not None
    with pytest.raises(KeyError, match="later"):
        await left


async def test_the_rest_is_told_that_it_is_cancelled() -> None:
    told: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.append("cancelled")
            raise

    left = begun(work())
    assert left is not None
    task = asyncio.create_task(left)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == ["cancelled"]


async def test_a_rest_that_nobody_awaits_lets_go_of_what_it_holds() -> None:
    lock = asyncio.Lock()

    async def work() -> None:
        async with lock:
            await asyncio.Event().wait()

    left = begun(work())
    assert lock.locked()
    assert left is not None
    task = asyncio.create_task(left)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not lock.locked()
