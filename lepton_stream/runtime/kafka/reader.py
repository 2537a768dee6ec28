"""Reads a range of one partition again, outside the group: to rebuild memory, state or a claimed range."""

# ruff: noqa: SLF001  (what lies inside aiokafka and Faust is pinned by tests/kafka/test_contract.py)

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import KafkaConnectionError

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka import raw
from lepton_stream.runtime.kafka.chunks import BOUNDS, Bounds
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.credentials import client_options, diagnose
from lepton_stream.runtime.kafka.fetch import typed


async def read_range(
    connection: Connection,
    source: SourcePartition,
    start: int,
    end: int,
    *,
    bounds: Bounds = BOUNDS,
    read_uncommitted: bool = False,
    patience: float = 30.0,
) -> AsyncIterator[Chunk]:
    """The chunks of [start, end), in order and without a gap; the last may reach beyond `end`.

    Waits for what is not written yet. Raises IntegrityError if `start` is not in the log, UnreadableBatch, and
    BrokerError if the broker cannot be reached or nothing comes for `patience` seconds.
    """
    if start >= end:
        return
    async with consumer_at(connection, source, start, read_uncommitted) as consumer:
        while start < end:
            try:
                chunk = await asyncio.wait_for(next_chunk(consumer, bounds), patience)
            except TimeoutError:
                raise BrokerError(
                    f"{source.topic}/{source.partition}: nothing came for {patience:.0f} s at offset {start} of {end}; "
                    "look whether the partition has a leader, and run again"
                ) from None
            start = chunk.end
            yield chunk


@asynccontextmanager
async def consumer_at(
    connection: Connection, source: SourcePartition, start: int, read_uncommitted: bool
) -> AsyncIterator[Any]:
    """A consumer without a group that fetches from this offset on."""
    consumer = AIOKafkaConsumer(
        auto_offset_reset="none",
        isolation_level="read_uncommitted" if read_uncommitted else "read_committed",
        fetch_max_wait_ms=50,
        **client_options(connection),
    )
    try:
        await consumer.start()
    except KafkaConnectionError:
        await consumer.stop()
        raise (await diagnose(connection, 10.0)) from None
    try:
        consumer.assign([source])
        consumer.seek(source, start)
        yield consumer
    finally:
        await consumer.stop()


async def next_chunk(consumer: Any, bounds: Bounds) -> Chunk:
    """The next chunk of a consumer of one partition."""
    fetcher = consumer._fetcher
    while True:
        for tp, result in list(fetcher._records.items()):
            if type(result) is not FetchResult:
                try:
                    result.check_raise()
                except Exception as error:
                    raise typed(error) from None
            chunk, more = raw.take(result, bounds)
            if not more:
                del fetcher._records[tp]
                fetcher._notify(fetcher._wait_consume_future)
            if chunk is not None:
                return chunk
        await fetcher._create_fetch_waiter()


async def end_behind(connection: Connection, source: SourcePartition, start: int, quiet: float = 0.5) -> int:
    """The offset after the batch that starts at `start`, or `start` if nothing comes for `quiet` seconds.

    Further ones are not waited for: a log that is being written has no quiet moment.
    """
    async with consumer_at(connection, source, start, read_uncommitted=False) as consumer:
        try:
            async with asyncio.timeout(quiet):
                return (await next_chunk(consumer, BOUNDS)).end
        except TimeoutError:
            return start
