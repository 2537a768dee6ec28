"""Inputs split as a Kafka topic would hold them: merged by event time, then cut by key into partitions.

The same order and the same partitions come out whatever blocks the files are read in, and `feed` sends records so too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.columns import Index, text_from_bytes
from lepton_stream.errors import UsageError
from lepton_stream.formats.event_time import event_times
from lepton_stream.pipeline.plan import Field, Plan
from lepton_stream.runtime.inputs import Input
from lepton_stream.shuffle.murmur2 import partition_of
from lepton_stream.shuffle.routing import canonical_key
from lepton_stream.windows.watermark import NEVER

_RECORDS_A_CHUNK = 8192
_KEY_OF_A_BROKEN_RECORD = 512  # bytes: equal broken records still come to the same partition


@dataclass(frozen=True, slots=True, eq=False)
class Routed:
    """Records in the order of a topic: `time` is the running maximum of the event times of their input."""

    values: list[bytes | None]
    partition: Index
    time: Index
    timestamp: Index
    long: list[int]

    def __len__(self) -> int:
        return len(self.values)

    def cut(self, at: int) -> tuple[Routed, Routed]:
        """The first `at` records and the rest."""
        return (
            Routed(self.values[:at], self.partition[:at], self.time[:at], self.timestamp[:at], self.long[:at]),
            Routed(self.values[at:], self.partition[at:], self.time[at:], self.timestamp[at:], self.long[at:]),
        )


class _Reader:
    """One input, read ahead by a block: the next records with their partition and time."""

    def __init__(self, given: Input, plan: Plan, partitions: int) -> None:
        self._source, self._partitions = plan.source, partitions
        self._key = tuple(_as_read(plan.field_named(name)) for name in plan.source.key)
        fields = (
            *self._key,
            *([_as_read(plan.field_named(plan.source.time))] if plan.source.time not in plan.source.key else []),
        )
        self._decoder = given.decoder(fields)
        self._chunks, self._long = iter(given), given.long
        self._high = NEVER
        self.ahead: Routed | None = None
        self.read_on()

    def read_on(self) -> None:
        """The next block; None at the end."""
        chunk = next(self._chunks, None)
        self.ahead = None if chunk is None else self._route(chunk)

    def _route(self, chunk: Chunk) -> Routed:
        decoded = self._decoder.decode(chunk.values)
        values = chunk.values.to_list()
        time = np.full(len(chunk), NEVER, np.int64)
        times, bad = event_times(decoded.columns[self._source.time], self._source.time_unit, self._source.time_zone)
        time[decoded.rows] = np.where(bad, NEVER, times)
        time = np.maximum.accumulate(np.maximum(time, self._high))
        self._high = int(time[-1])
        partition = self._whole(values)
        if self._key:
            key = canonical_key([decoded.columns[f.name] for f in self._key])
            partition[decoded.rows] = partition_of(key, self._partitions)
        long = [self._long.get(o, -1) for o in chunk.offsets.tolist()] if self._long else [-1] * len(chunk)
        return Routed(values, partition, time, chunk.timestamp, long)

    def _whole(self, values: list[bytes | None]) -> Index:
        """Partitions of records without a readable key: by their first bytes."""
        head = [(v or b"")[:_KEY_OF_A_BROKEN_RECORD] for v in values]
        return partition_of(text_from_bytes(head), self._partitions)


def _as_read(field: Field) -> Field:
    """The field without rules: a record that cleaning rejects still has a key and a time."""
    return Field(field.name, field.type)


def merged(inputs: list[Input], plan: Plan, partitions: int) -> Iterator[Routed]:
    """All records of all inputs, merged by time; ties go to the input named first. Raises UsageError, see below."""
    _same_columns(inputs)
    readers = [_Reader(given, plan, partitions) for given in inputs]
    while True:
        alive = [(r.ahead, i) for i, r in enumerate(readers) if r.ahead is not None]
        if not alive:
            return
        # whoever's block ends first, in time, is used up; nobody can still bring a record that belongs before that
        horizon, last = min((int(block.time[-1]), i) for block, i in alive)
        taken = []
        for block, i in alive:
            at = int(np.searchsorted(block.time, horizon, side="right" if i <= last else "left"))
            head, rest = block.cut(at)
            taken.append(head)
            readers[i].ahead = rest
            if not len(rest):
                readers[i].read_on()
        yield _in_order(taken)


def _in_order(blocks: list[Routed]) -> Routed:
    if len(blocks) == 1:
        return blocks[0]
    time = np.concatenate([b.time for b in blocks])
    order = np.argsort(time, kind="stable")  # stable: equal times stay in the order of the inputs
    values = [v for b in blocks for v in b.values]
    long = [n for b in blocks for n in b.long]
    listed = order.tolist()
    return Routed(
        [values[i] for i in listed],
        np.concatenate([b.partition for b in blocks])[order],
        time[order],
        np.concatenate([b.timestamp for b in blocks])[order],
        [long[i] for i in listed],
    )


def _same_columns(inputs: list[Input]) -> None:
    first = inputs[0]
    for other in inputs[1:]:
        if other.header != first.header:
            raise UsageError(
                f"{other.name}: its columns {list(other.header)} differ from those of {first.name}; "
                "with --partitions all CSV inputs need the same header: run them one by one, or without --partitions"
            )


class Partition:
    """One partition of the imagined topic: gathers its records into chunks."""

    def __init__(self, source: SourcePartition) -> None:
        self.source = source
        self.long: dict[int, int] = {}
        self._next = 0
        self._values: list[bytes | None] = []
        self._timestamps: list[Index] = []

    def add(self, block: Routed, rows: Index) -> None:
        """Append these records of a block."""
        at = self._next + len(self._values)
        for i, row in enumerate(rows.tolist()):
            self._values.append(block.values[row])
            if block.long[row] >= 0:
                self.long[at + i] = block.long[row]
        self._timestamps.append(block.timestamp[rows])

    def chunk(self, least: int) -> Chunk | None:
        """What was gathered, if it is at least so many records."""
        n = len(self._values)
        if n < max(least, 1):
            return None
        start, self._next = self._next, self._next + n
        values, timestamp = Values.from_list(self._values), np.concatenate(self._timestamps)
        self._values, self._timestamps = [], []
        return Chunk(self.source, start, self._next, np.arange(start, self._next), values, timestamp)


def chunks(inputs: list[Input], plan: Plan, partitions: list[Partition]) -> Iterator[tuple[Partition, Chunk]]:
    """The chunks of all partitions, in an order in which their event times keep together."""
    for block in merged(inputs, plan, len(partitions)):
        for p, partition in enumerate(partitions):
            partition.add(block, np.flatnonzero(block.partition == p))
            chunk = partition.chunk(_RECORDS_A_CHUNK)
            if chunk is not None:
                yield partition, chunk
    for partition in partitions:
        chunk = partition.chunk(1)
        if chunk is not None:
            yield partition, chunk
