"""Plain Faust: one agent, event by event, a windowed Table, duplicates by an ordinary set."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import faust

from tests.bench.peers.programs.mark import first

app = faust.App(
    os.environ["GROUP"],
    broker="kafka://" + os.environ["BROKER"],
    store="memory://",
    topic_partitions=4,
    consumer_auto_offset_reset="earliest",
    web_enabled=False,
)


class Event(faust.Record, serializer="json"):
    event_id: str
    device: str
    ts: float
    metric: str
    value: Any = None
    status: str = ""


events = app.topic(os.environ["IN_TOPIC"], key_type=bytes, value_type=Event)
out = app.topic(os.environ["OUT_TOPIC"], key_type=str, value_serializer="json")
# Expiry is measured against the wall clock, so a replay of old events needs a long one.
stats = app.Table("stats", default=lambda: [0, 0.0, None, None], partitions=4)
stats = stats.tumbling(60.0, expires=timedelta(days=3650)).relative_to_field(Event.ts)
seen: set[str] = set()
current: dict[str, float] = {}


@app.agent(events)
async def aggregate(stream: Any) -> None:
    async for ev in stream:
        first()
        v = ev.value
        if not isinstance(v, (int, float)) or ev.event_id in seen:
            continue
        seen.add(ev.event_id)
        window = ev.ts // 60 * 60
        open_window = current.get(ev.device)
        if open_window is not None and window > open_window:
            # The callback for closed windows leaves out those of all partitions but one: sent at the next event.
            n, s, lo, hi = stats[ev.device][(open_window, open_window + 59.9)]
            result = {"device": ev.device, "window": open_window, "count": n, "mean": s / n, "min": lo, "max": hi}
            await out.send(key=ev.device, value=result)
        if open_window is None or window > open_window:
            current[ev.device] = window
        n, s, lo, hi = stats[ev.device].value()
        stats[ev.device] = [n + 1, s + v, v if lo is None else min(lo, v), v if hi is None else max(hi, v)]


if __name__ == "__main__":
    app.main()
