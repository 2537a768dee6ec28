"""What a pipeline has published so far: the newest version of every result, and every event once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.runtime.kafka.board import Events
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.reader import read_range

Row = dict[str, Any]
_ALL = 1 << 62


async def newest(outside: Outside) -> list[Row]:
    """One row a result key, by window, start and group; fence records are left out."""
    found: dict[bytes, Row] = {}
    async for chunk in _whole(outside, outside.names.results):
        pairs = zip(chunk.keys.to_list() if chunk.keys else [], chunk.values.to_list(), strict=True)
        told = [(key, value) for key, value in pairs if key is not None and value is not None]
        rows = orjson.loads(b"[%b]" % b",".join([value for _, value in told]))
        for (key, _), row in zip(told, rows, strict=True):
            keep_newer(found, key, row)
    return [found[key] for key in sorted(found, key=orjson.loads)]


async def events(outside: Outside) -> list[Row]:
    """Every event that the topic holds, once, by event time, place in the source and model."""
    board, found = Events(_ALL), list[Row]()
    async for chunk in _whole(outside, outside.names.events):
        told = (board.take(None, value) for value in chunk.values.to_list())
        found += [row for row in told if row is not None]
    return sorted(
        found, key=lambda row: (row["event_time"], row["source_partition"], row["source_offset"], row["model"])
    )


async def _whole(outside: Outside, topic: str) -> AsyncIterator[Chunk]:
    """A topic with as many partitions as the shuffle topic, from its beginning to where it ends now."""
    partitions = [SourcePartition(topic, tp.partition) for tp in outside.view.shuffle]
    starts, ends = await asyncio.gather(outside.logs.starts(partitions), outside.exact_ends(partitions))
    for tp in partitions:
        async for chunk in read_range(outside.connection, tp, starts[tp], ends[tp]):
            yield chunk


def keep_newer(found: dict[bytes, Row], key: bytes, row: Row) -> None:
    """A lower version never replaces a higher one."""
    have = found.get(key)
    if have is None or row["version"] >= have["version"]:
        found[key] = row
