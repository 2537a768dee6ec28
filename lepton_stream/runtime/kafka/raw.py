"""Keeps the bytes of a fetch: aiokafka's record sets do not show theirs, and we read them ourselves, with bounds."""

# ruff: noqa: SLF001  (what lies inside aiokafka and Faust is pinned by tests/kafka/test_contract.py)

from __future__ import annotations

from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import MemoryRecords

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.runtime.kafka.chunks import BOUNDS, Bounds, Run


class RawRecords(MemoryRecords):  # type: ignore[misc]
    """A record set that remembers its bytes and how far they have been given out."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.raw = data
        self.run: Run | None = None


class PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """aiokafka's own reading of a record set, begun only by who wants it: plain consumers in our process.

    Its iterator knows the object that holds it, so that every fetch would stay in memory until the collector of cycles
    comes, and that one hardly ever does.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._records_iterator = None
        self._begun = False

    def __next__(self) -> Any:
        if not self._begun:
            self._begun, self._records_iterator = True, self._unpack_records()
        return super().__next__()


def install() -> None:
    """Have aiokafka's fetcher make ours; what else it does with them stays as it was."""
    fetcher.MemoryRecords = RawRecords
    fetcher.PartitionRecords = PartitionRecords


def take(result: Any, bounds: Bounds = BOUNDS, *, pointing: bool = False) -> tuple[Chunk | None, bool]:
    """The next chunk of an aiokafka FetchResult, and whether it holds more. `pointing`: as of `Run`.

    Moves the consumer's position even when the chunk is empty, else the same batches would be fetched for ever.
    None if the data is of no use any more: the partition was taken away or sought elsewhere. Raises UnreadableBatch.
    """
    tp = result._topic_partition
    if not result.has_more() or not result.check_assignment(tp):
        return None, False
    part = result._partition_records
    records: RawRecords = part._records
    if records.run is None:
        aborted = part._aborted_transactions if part._isolation_level == fetcher.READ_COMMITTED else None
        source = SourcePartition(tp.topic, tp.partition)
        start = part.next_fetch_offset
        records.run = Run(source, records.raw, start, aborted, bounds, pointing=pointing)
    chunk = records.run.take()
    part.next_fetch_offset = records.run.next
    result._update_position()
    if chunk is None:
        result._partition_records = None
    return chunk, chunk is not None


install()
