"""Worker processes as tests see them: what they say, what they own, and whether they covered every offset once."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import defaultdict
from collections.abc import Callable
from typing import Self

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.group import Group
from lepton_stream.runtime.kafka.produce import Producer, Record
from lepton_stream.runtime.kafka.wire import Wire

PARTITIONS = 4
Interval = tuple[int, int, int, int]


class Child:
    """A worker process and what it has said."""

    def __init__(self, connection: Connection, group: str, topic: str, instance: str = "-", session: float = 3) -> None:
        self._arguments = [connection.bootstrap, group, topic, instance, str(session)]
        self.lines: list[list[str]] = []
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, "-m", "tests.kafka.worker_kafka", *self._arguments]
        self.process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._keep_errors())]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.ended()

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode().split())
            self._news.set()
        self._news.set()

    async def _keep_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors = (await self.process.stderr.read()).decode()

    def said(self, word: str) -> list[list[str]]:
        return [line[1:] for line in self.lines if line[0] == word]

    def intervals(self, word: str) -> list[Interval]:
        return [(int(p), int(a), int(b), int(n)) for p, a, b, n in self.said(word)]

    def owns(self) -> set[int]:
        return {int(p) for p in self.said("assigned")[-1][1:]} if self.said("assigned") else set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(40):
            while not condition():
                self._news.clear()
                assert self.process.returncode is None, f"it ended: {self.lines[-3:]} {self.errors[-3000:]}"
                await self._news.wait()

    async def ended(self) -> int:
        async with asyncio.timeout(40):
            await asyncio.gather(*self._tasks)
            return await self.process.wait()

    async def leave(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert await self.ended() == 0, self.errors[-3000:]


async def feed(connection: Connection, topic: str, n: int) -> None:
    """n records of 100 bytes into each partition."""
    async with Producer(connection, batch_bytes=5_000) as producer:
        tps = [SourcePartition(topic, p) for p in range(PARTITIONS)]
        await producer.send_all([Record(tp, b"%0100d" % i) for i in range(n) for tp in tps])


async def all_committed(connection: Connection, group: str, topic: str, offset: int, children: list[Child]) -> None:
    """Wait until every partition is committed up to this offset; checked whenever a worker says something."""
    tps = [SourcePartition(topic, p) for p in range(PARTITIONS)]
    async with Wire(connection) as wire, asyncio.timeout(60):
        while any(c is None or c.offset < offset for c in (await Group(wire, group).committed(tps)).values()):
            news = [asyncio.create_task(c._news.wait()) for c in children]
            for child in children:
                child._news.clear()
            await asyncio.wait(news, return_when=asyncio.FIRST_COMPLETED, timeout=1)
            for task in news:
                task.cancel()


def check_coverage(children: list[Child], end: int) -> None:
    """Committed intervals follow each other from 0 to the end; what is not said "ok" was tried by a killed worker."""
    done, tried = defaultdict(list), defaultdict(set)
    for child in children:
        for p, a, b, n in child.intervals("ok"):
            assert n == b - a  # no record of the interval is missing
            done[p].append((a, b))
        said = {*child.intervals("ok"), *child.intervals("stale"), *child.intervals("fenced")}
        for p, a, b, _ in set(child.intervals("try")) - said:
            tried[p].add((a, b))
    for p in range(PARTITIONS):
        position = 0
        for a, b in sorted(done[p]):
            while position < a:  # committed by a worker that was killed before it could say so
                ((_, position),) = [t for t in tried[p] if t[0] == position]
            assert a == position, f"partition {p}: [{a}, {b}) after {position}"
            position = b
        while position < end:
            ((_, position),) = [t for t in tried[p] if t[0] == position]
        assert position == end
