"""A topic read with a plain Kafka client, apart from all readers of the product."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition


async def _consumer(bootstrap: str) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="none",
        isolation_level="read_committed", max_partition_fetch_bytes=16 << 20, retry_backoff_ms=50,
        metadata_max_age_ms=1000,
    )  # fmt: skip
    await consumer.start()
    return consumer


async def follow(bootstrap: str, topic: str, partitions: int, stop: asyncio.Event) -> AsyncIterator[list[Any]]:
    """Batches of records as they come, from the start; ends when asked to and all that was there then was read."""
    consumer = await _consumer(bootstrap)
    tps = [TopicPartition(topic, p) for p in range(partitions)]
    ends: Mapping[TopicPartition, int] | None = None
    try:
        consumer.assign(tps)
        await consumer.seek_to_beginning(*tps)
        while True:
            found = await consumer.getmany(timeout_ms=100)
            for batch in found.values():
                yield batch
            if stop.is_set() and ends is None:
                ends = await consumer.end_offsets(tps)
            if ends is not None:
                at = {tp: await consumer.position(tp) for tp in tps}
                if all(at[tp] >= end for tp, end in ends.items()):
                    return
    finally:
        await consumer.stop()


def whole(bootstrap: str, topic: str, partitions: int) -> list[Any]:
    """All that is there now, in offset order of each partition."""

    async def read() -> list[Any]:
        stop = asyncio.Event()
        stop.set()
        return [record async for batch in follow(bootstrap, topic, partitions, stop) for record in batch]

    return asyncio.run(read())
