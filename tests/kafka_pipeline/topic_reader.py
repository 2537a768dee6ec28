"""Everything that a topic holds, in offset order of each partition."""

from __future__ import annotations

from typing import NamedTuple

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.logs import Logs
from lepton_stream.runtime.kafka.reader import read_range
from lepton_stream.runtime.kafka.wire import Wire


class Stored(NamedTuple):
    """A record as it is stored."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


async def read_topic(connection: Connection, topic: str) -> list[Stored]:
    """All records that are there now."""
    async with Wire(connection) as wire:
        partitions = [SourcePartition(topic, p) for p in sorted(await wire.partitions(topic))]
        logs = Logs(wire)
        starts, ends = await logs.starts(partitions), await logs.ends(partitions)
    found: list[Stored] = []
    for tp in partitions:
        async for chunk in read_range(connection, tp, starts[tp], ends[tp]):
            for row, offset in enumerate(chunk.offsets.tolist()):
                key = chunk.keys[row] if chunk.keys else None
                headers = tuple(chunk.headers[row]) if chunk.headers else ()
                found.append(Stored(tp.partition, offset, key, chunk.values[row], headers))
    return found
