"""Pathway: a JSON source, filter, group by event id (dedup), tumbling windows, a Kafka sink of updates."""

from __future__ import annotations

import os

import pathway as pw

rdkafka = {
    "bootstrap.servers": os.environ["BROKER"],
    "group.id": os.environ["GROUP"],
    "auto.offset.reset": "earliest",
}


class Event(pw.Schema):
    event_id: str
    device: str
    ts: float
    value: pw.Json = pw.column_definition(default_value=pw.Json.NULL)


events = pw.io.kafka.read(rdkafka, os.environ["IN_TOPIC"], schema=Event, format="json")
number = pw.this.value.to_string().str.parse_float(optional=True)
good = events.select(pw.this.event_id, pw.this.device, pw.this.ts, value=number).filter(pw.this.value.is_not_none())
fresh = good.groupby(pw.this.event_id).reduce(
    device=pw.reducers.any(pw.this.device),
    ts=pw.reducers.any(pw.this.ts),
    value=pw.reducers.any(pw.this.value),
)
stats = fresh.windowby(pw.this.ts, window=pw.temporal.tumbling(duration=60.0), instance=pw.this.device).reduce(
    device=pw.this._pw_instance,
    window=pw.this._pw_window_start,
    count=pw.reducers.count(),
    mean=pw.reducers.avg(pw.unwrap(pw.this.value)),
    min=pw.reducers.min(pw.this.value),
    max=pw.reducers.max(pw.this.value),
)
pw.io.kafka.write(stats, rdkafka, os.environ["OUT_TOPIC"], format="json")
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
