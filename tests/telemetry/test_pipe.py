"""From worker to parent: whole snapshots in order, nothing of a half one, and nobody waits."""

from __future__ import annotations

import asyncio
import os
import time

from lepton_stream.telemetry.pipe import Sender, received
from lepton_stream.telemetry.snapshot import Snapshot, pack


def snapshot(number: int, size: int = 0) -> Snapshot:
    return Snapshot(joined=True, restoring=tuple("x" * 100 for _ in range(size)), counters={"n": {(): float(number)}})


async def heard(fd: int) -> list[float]:
    return [one.counters["n"][()] async for one in received(fd)]


def test_snapshots_arrive_in_order_and_the_last_one_always() -> None:
    async def run() -> list[float]:
        reading, writing = os.pipe()
        sender = Sender(writing)
        listening = asyncio.create_task(heard(reading))
        for number in range(200):
            sender.send(snapshot(number, size=20))
            await asyncio.sleep(0)
        await asyncio.to_thread(sender.close)
        return await listening

    numbers = asyncio.run(run())
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 199


def test_a_worker_killed_in_the_middle_of_a_word_is_heard_up_to_there() -> None:
    async def run() -> list[float]:
        reading, writing = os.pipe()
        data = pack(snapshot(1))
        whole = len(data).to_bytes(4, "big") + data
        os.write(writing, whole + whole[:-3])
        os.close(writing)
        return await heard(reading)

    assert asyncio.run(run()) == [1]


def test_rubbish_ends_the_listening_and_nothing_else() -> None:
    async def run() -> list[float]:
        reading, writing = os.pipe()
        os.write(writing, (4).to_bytes(4, "big") + b"\xc1\xc1\xc1\xc1")
        os.close(writing)
        return await heard(reading)

    assert asyncio.run(run()) == []


def test_a_parent_that_does_not_read_delays_nobody() -> None:
    reading, writing = os.pipe()
    sender = Sender(writing)
    began = time.perf_counter()
    for number in range(50):
        sender.send(snapshot(number, size=5000))  # each more than a pipe holds
    assert time.perf_counter() - began < 1
    os.close(reading)
    sender.close()
