"""The script that people write: read the whole topic with confluent-kafka, one Polars query, no windows kept open.

With `$BIG_FETCH` it asks the client for a longer queue; otherwise it waits for fetches most of the time.
"""

from __future__ import annotations

import os
from typing import Any

import orjson
import polars as pl
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.bench.peers.programs.mark import first

TOPIC = os.environ["IN_TOPIC"]
conf: dict[str, Any] = {
    "bootstrap.servers": os.environ["BROKER"],
    "group.id": os.environ["GROUP"],
    "enable.auto.commit": False,
}
if os.environ.get("BIG_FETCH"):
    conf.update({"queued.min.messages": 1_000_000, "fetch.queue.backoff.ms": 5})
c = Consumer(conf)
parts = [TopicPartition(TOPIC, p, 0) for p in c.list_topics(TOPIC).topics[TOPIC].partitions]
left = sum(c.get_watermark_offsets(p)[1] for p in parts)
c.assign(parts)
schema: dict[str, Any] = {"event_id": pl.String, "device": pl.String, "ts": pl.Float64, "value": pl.String}
frames = []
while left > 0:
    msgs = c.consume(10_000, 0.1)
    left -= len(msgs)
    if msgs:
        first()
        frames.append(pl.read_ndjson(b"\n".join([m.value() for m in msgs]), schema=schema))
stats = (
    pl.concat(frames)
    .lazy()
    .with_columns(pl.col("value").cast(pl.Float64, strict=False))
    .drop_nulls("value")
    .unique("event_id")
    .group_by("device", (pl.col("ts") // 60 * 60).alias("window"))
    .agg(
        count=pl.len(),
        mean=pl.col("value").mean(),
        min=pl.col("value").min(),
        max=pl.col("value").max(),
    )
    .collect()
)
p = Producer({"bootstrap.servers": os.environ["BROKER"], "linger.ms": 20})
for row in stats.iter_rows(named=True):
    p.produce(os.environ["OUT_TOPIC"], orjson.dumps(row), row["device"].encode())
p.flush()
