"""Inputs split as a Kafka topic would hold them: merged by event time, then cut by key into partitions.

The same order and the same partitions come out whatever blocks the files are read in, and `feed` sends records so too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.columns import Index, Text
from lepton_stream.errors import UsageError
from lepton_stream.formats.decoder import Decoded
from lepton_stream.formats.event_time import event_times
from lepton_stream.pipeline.plan import Field, Plan
from lepton_stream.runtime.gathering import copied, joined, reordered
from lepton_stream.runtime.inputs import Input
from lepton_stream.runtime.table_input import TableInput
from lepton_stream.shuffle.murmur2 import partition_of
from lepton_stream.shuffle.routing import canonical_key
from lepton_stream.windows.watermark import NEVER

_RECORDS_A_CHUNK = 8192
_KEY_OF_A_BROKEN_RECORD = 512  # bytes: equal broken records still come to the same partition


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Records in the order of a topic: `time` is the running maximum of the event times of their input.

    `partition`, `time`, `timestamp` and `long` are int64[n]; `long` is -1 for a record that was not cut.
    """

    values: Values
    partition: Index
    time: Index
    timestamp: Index
    long: Index

    def __len__(self) -> int:
        return len(self.values)

    def cut(self, at: int) -> tuple[Block, Block]:
        """The first `at` records and the rest."""
        return self._part(slice(None, at)), self._part(slice(at, None))

    def _part(self, rows: slice) -> Block:
        values = self.values.part(rows)
        return Block(values, self.partition[rows], self.time[rows], self.timestamp[rows], self.long[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Routed:
    """A block with a byte string a record, for those who send them one by one."""

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
        self.ahead: Block | None = None
        self.read_on()

    def read_on(self) -> None:
        """The next block; None at the end."""
        chunk = next(self._chunks, None)
        self.ahead = None if chunk is None else self._route(chunk)

    def _route(self, chunk: Chunk) -> Block:
        decoded = self._decoder.decode(chunk.values)
        time = np.full(len(chunk), NEVER, np.int64)
        times, bad = event_times(decoded.columns[self._source.time], self._source.time_unit, self._source.time_zone)
        time[decoded.rows] = np.where(bad, NEVER, times)
        time = np.maximum.accumulate(np.maximum(time, self._high))
        self._high = int(time[-1])
        partition = self._partitions_of(chunk.values, decoded)
        long = np.full(len(chunk), -1, np.int64)
        for offset in [o for o in list(self._long) if o < chunk.end]:  # a copy: the file may be read ahead
            long[offset - chunk.start] = self._long.pop(offset)
        return Block(chunk.values, partition, time, chunk.timestamp, long)

    def _partitions_of(self, values: Values, decoded: Decoded) -> Index:
        """By the key; records without a readable one by their first bytes."""
        if not self._key:
            return self._by_bytes(values)
        partition = np.zeros(len(values), np.int64)
        key = canonical_key([decoded.columns[f.name] for f in self._key])
        partition[decoded.rows] = partition_of(key, self._partitions)
        if len(decoded.rows) < len(values):
            rest = np.ones(len(values), np.bool_)
            rest[decoded.rows] = False
            rows = np.flatnonzero(rest)
            partition[rows] = self._by_bytes(values.pick(rows))
        return partition

    def _by_bytes(self, values: Values) -> Index:
        data, start, length = values.spans()
        return partition_of(Text(data, start, np.clip(length, 0, _KEY_OF_A_BROKEN_RECORD)), self._partitions)


def _as_read(field: Field) -> Field:
    """The field without rules: a record that cleaning rejects still has a key and a time."""
    return Field(field.name, field.type)


def merged(inputs: list[Input], plan: Plan, partitions: int) -> Iterator[Routed]:
    """`blocks` with a byte string a record."""
    for b in blocks(inputs, plan, partitions):
        yield Routed(b.values.to_list(), b.partition, b.time, b.timestamp, b.long.tolist())


def blocks(inputs: list[Input], plan: Plan, partitions: int) -> Iterator[Block]:
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


def _in_order(blocks: list[Block]) -> Block:
    if len(blocks) == 1:
        return blocks[0]
    time = np.concatenate([b.time for b in blocks])
    order = np.argsort(time, kind="stable")  # stable: equal times stay in the order of the inputs
    return Block(
        reordered(joined([b.values for b in blocks]), order),
        np.concatenate([b.partition for b in blocks])[order],
        time[order],
        np.concatenate([b.timestamp for b in blocks])[order],
        np.concatenate([b.long for b in blocks])[order],
    )


def _same_columns(inputs: list[Input]) -> None:
    first = inputs[0]
    for other in inputs[1:]:
        if isinstance(other, TableInput) != isinstance(first, TableInput):
            raise UsageError(
                f"{other.name}: is of another form than {first.name}; with --partitions all inputs are lines of text, "
                "or all are Parquet and Arrow files: run them one by one, or without --partitions"
            )
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
        self._next = self._gathered = 0
        self._values: list[Values] = []
        self._timestamps: list[Index] = []

    def add(self, block: Block, rows: Index) -> None:
        """Append these records of a block."""
        if not len(rows):
            return
        at = self._next + self._gathered
        long = block.long[rows]
        for i in np.flatnonzero(long >= 0).tolist():
            self.long[at + i] = int(long[i])
        self._gathered += len(rows)
        # Copied: a partition with few records must not keep each block that one of them was in.
        self._values.append(copied(reordered(block.values, rows)))
        self._timestamps.append(block.timestamp[rows])

    def chunk(self, least: int) -> Chunk | None:
        """What was gathered, if it is at least so many records."""
        if self._gathered < max(least, 1):
            return None
        start, self._next = self._next, self._next + self._gathered
        values, timestamp = joined(self._values), np.concatenate(self._timestamps)
        self._values, self._timestamps, self._gathered = [], [], 0
        return Chunk(self.source, start, self._next, np.arange(start, self._next), values, timestamp)


def chunks(inputs: list[Input], plan: Plan, partitions: list[Partition]) -> Iterator[tuple[Partition, Chunk]]:
    """The chunks of all partitions, in an order in which their event times keep together."""
    for block in blocks(inputs, plan, len(partitions)):
        order = np.argsort(block.partition, kind="stable")
        ends = np.cumsum(np.bincount(block.partition, minlength=len(partitions)))
        for partition, rows in zip(partitions, np.split(order, ends[:-1]), strict=True):
            partition.add(block, rows)
            chunk = partition.chunk(_RECORDS_A_CHUNK)
            if chunk is not None:
                yield partition, chunk
    for partition in partitions:
        chunk = partition.chunk(1)
        if chunk is not None:
            yield partition, chunk
