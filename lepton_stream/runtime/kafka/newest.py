"""The newest version of every result, read from the results topic as it stands."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.reader import read_range

Row = dict[str, Any]


async def newest(outside: Outside) -> list[Row]:
    """One row a result key, by window, start and group; fence records are left out."""
    partitions = [SourcePartition(outside.names.results, tp.partition) for tp in outside.view.shuffle]
    starts, ends = await asyncio.gather(outside.logs.starts(partitions), outside.exact_ends(partitions))
    found: dict[bytes, Row] = {}
    for tp in partitions:
        async for chunk in read_range(outside.connection, tp, starts[tp], ends[tp]):
            for key, value in zip(chunk.keys.to_list() if chunk.keys else [], chunk.values.to_list(), strict=True):
                if key is not None and value is not None:
                    keep_newer(found, key, orjson.loads(value))
    return [found[key] for key in sorted(found, key=orjson.loads)]


def keep_newer(found: dict[bytes, Row], key: bytes, row: Row) -> None:
    """A lower version never replaces a higher one."""
    have = found.get(key)
    if have is None or row["version"] >= have["version"]:
        found[key] = row
