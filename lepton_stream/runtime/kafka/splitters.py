"""Record batches to records: what both ways of cutting them have in common, and the portable one."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple, Protocol

import numpy as np
from aiokafka.record._crecords import DefaultRecord, DefaultRecordBatch

from lepton_stream.chunk import NO_HEADERS, Headers, Values
from lepton_stream.columns import Index
from lepton_stream.runtime.kafka.batches import Batch, uncompressed
from lepton_stream.runtime.kafka.odd_records import OddRecord, odd_records

NO_TIME = -1
"""The timestamp of a record that has none."""


class Split(NamedTuple):
    """Records of several batches in offset order; all parts are n long, timestamps in milliseconds.

    `headers` is None where no record has any.
    """

    offsets: Index
    timestamps: Index
    keys: Values
    values: Values
    headers: Sequence[Headers] | None


class Splitter(Protocol):
    """Takes the batches of one chunk, then cuts them into records."""

    def add(self, raw: bytes, batch: Batch, bound: int) -> int:
        """Take a batch of the fetched bytes; how many bytes it has without compression.

        Raises codecs.TooLargeError above `bound` bytes of records, ValueError for data that cannot be decompressed.
        """
        ...

    def split(self) -> Split:
        """All records. Raises CorruptRecordException or ValueError."""
        ...


class RecordSplitter:
    """Splits with aiokafka's compiled reader; columns are picked by C-level iteration, no line of Python a record.

    One batch after the other, and no list for a record without headers: a million small objects alive at once would
    keep the garbage collector busier than all the rest.
    """

    def __init__(self) -> None:
        self._plain: list[bytes] = []

    def add(self, raw: bytes, batch: Batch, bound: int) -> int:
        """See `Splitter`."""
        self._plain.append(uncompressed(raw, batch, bound))
        return len(self._plain[-1])

    def split(self) -> Split:
        """See `Splitter`."""
        return split(self._plain)


def split(plain: Sequence[bytes]) -> Split:
    """Records of uncompressed batches, headers included; none of them a control batch."""
    offsets, timestamps = list[Index](), list[Index]()
    keys, values = list[bytes | None](), list[bytes | None]()
    headers: list[Headers] | None = None
    for batch in plain:
        records = _records(batch)
        own = list(map(attrgetter("headers"), records))
        if headers is None and any(own):
            headers = [NO_HEADERS] * len(values)
        if headers is not None:
            headers += own
        offsets.append(_offsets(batch, records))
        timestamps.append(_timestamps(records))
        keys += map(attrgetter("key"), records)
        values += map(attrgetter("value"), records)
    none = np.zeros(0, np.int64)
    at, ms = np.concatenate([none, *offsets]), np.concatenate([none, *timestamps])
    return Split(at, ms, Values.from_list(keys), Values.from_list(values), headers)


def _records(batch: bytes) -> Sequence[DefaultRecord | OddRecord]:
    try:
        return list(DefaultRecordBatch(batch))
    except UnicodeDecodeError:
        return odd_records(batch)


def _offsets(batch: bytes, records: Sequence[DefaultRecord | OddRecord]) -> Index:
    """Offsets follow each other unless compaction took some out: then there are fewer records than offsets."""
    base, last = int.from_bytes(batch[:8]), int.from_bytes(batch[23:27])
    if last + 1 == len(records):
        return np.arange(base, base + len(records))
    return np.fromiter(map(attrgetter("offset"), records), np.int64, len(records))


def _timestamps(records: Sequence[DefaultRecord | OddRecord]) -> Index:
    times = [NO_TIME if ms is None else ms for ms in map(attrgetter("timestamp"), records)]
    return np.array(times, np.int64)
