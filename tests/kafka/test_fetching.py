"""What becomes of a fetch: it is freed at once, and one that came too late for its owner is let go."""

from __future__ import annotations

import asyncio
import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.errors import OffsetOutOfRangeError
from aiokafka.record._crecords import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition

from lepton_stream.runtime.kafka import workers
from lepton_stream.runtime.kafka.fetch import ChunkThread
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.raw import PartitionRecords, RawRecords

TP = TopicPartition("readings", 0)


def test_a_fetch_is_freed_without_the_collector_of_cycles() -> None:
    gc.disable()
    try:
        records = RawRecords(b"")
        part = PartitionRecords(TP, records, [], 0, None, None, False, fetcher.READ_UNCOMMITTED)
        gone = weakref.ref(part)
        del part, records
        assert gone() is None
    finally:
        gc.enable()


def test_a_plain_consumer_in_our_process_reads_as_ever() -> None:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 16)
    for n in range(3):
        builder.append(n, 1_700_000_000_000, b"k", b"v%d" % n, [])
    records = RawRecords(bytes(builder.build()))
    part = PartitionRecords(TP, records, [], 0, None, None, True, fetcher.READ_UNCOMMITTED)
    assert [record.value for record in part] == [b"v0", b"v1", b"v2"]


class Coordinator:
    """Says whether the group still knows us."""

    def __init__(self, *, known: bool, rejoining: bool = False) -> None:
        self._known = known
        self._rejoin_needed_fut = asyncio.get_running_loop().create_future()
        if rejoining:
            self._rejoin_needed_fut.set_result(None)
        self.generation, self.member_id = 1, "me"

    async def _do_heartbeat(self) -> bool:
        return self._known


@pytest.mark.parametrize(
    ("known", "rejoining", "ours"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_an_offset_that_is_gone_ends_only_a_worker_that_still_owns_the_partition(
    known: bool, rejoining: bool, ours: bool
) -> None:
    thread: Any = ChunkThread.__new__(ChunkThread)
    thread.identity, thread._epochs, thread._held = Identity(1, "me", None), {TP: 1}, {}
    found = SimpleNamespace(_records={TP: fetcher.FetchError(error=OffsetOutOfRangeError({TP: 7}), backoff=0)})

    async def drained() -> list[Any]:
        drained: list[Any] = await thread._drain(found, Coordinator(known=known, rejoining=rejoining))
        return drained

    if ours:
        with pytest.raises(OffsetOutOfRangeError):
            asyncio.run(drained())
    else:
        assert asyncio.run(drained()) == []
        assert found._records == {}


class Mortal(workers.Crew):
    """A crew whose worker lives for so long each time, on a clock of its own, and ends with that exit code."""

    async def _one(self, number: int, stop: asyncio.Event) -> int:
        if not LIVES:
            return 0
        seconds, code = LIVES.pop(0)
        NOW[0] += seconds
        return code


LIVES: list[tuple[float, int]] = []
NOW = [0.0]
CRASH, KILLED, NO_BROKER = (1.0, 1), (1.0, -9), (1.0, 4)


@pytest.mark.parametrize(
    ("lives", "ends"),
    [
        ([CRASH] * 19 + [(60.0, 1)] + [CRASH] * 18, True),
        ([CRASH] * 20, False),
        ([CRASH, KILLED, NO_BROKER] * 20, False),
        ([KILLED] * 100 + [NO_BROKER] * 100, True),
    ],
)
def test_only_crashes_in_a_row_end_a_crew(
    lives: list[tuple[float, int]], ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "RESTART_SECONDS", 0)
    monkeypatch.setattr(workers, "clock", SimpleNamespace(elapsed_s=lambda: NOW[0]))
    LIVES[:] = lives
    crew = Mortal(1, [], lambda _: None)
    if ends:
        asyncio.run(crew.run(asyncio.Event()))
        assert LIVES == []
    else:
        with pytest.raises(workers.WorkerError, match="ended with exit code 1 for the 20th time in a row"):
            asyncio.run(crew.run(asyncio.Event()))


class Fetching(fetcher.Fetcher):  # type: ignore[misc]
    """aiokafka's own way to close, with a fetch that failed and waits to be tried again."""

    def __init__(self) -> None:
        self._closed = False
        self._fetch_waiters: set[Any] = set()
        self._fetch_task = asyncio.create_task(asyncio.sleep(1000))
        self._pending_tasks = {asyncio.create_task(asyncio.sleep(1000))}


async def test_a_thread_stops_while_a_failed_fetch_waits_to_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stop(self: Any) -> None:
        await self._consumer._fetcher.close()

    monkeypatch.setattr(ChunkThread.__mro__[1], "on_thread_stop", stop)
    thread: Any = ChunkThread.__new__(ChunkThread)
    thread._consumer = SimpleNamespace(_fetcher=Fetching())
    await asyncio.sleep(0)  # the fetch is under way
    await thread.on_thread_stop()
    assert thread._consumer._fetcher._closed
