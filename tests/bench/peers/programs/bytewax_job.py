"""Bytewax: parse, key by device, stateful dedup, fold_window on event time. No recovery store: nothing is durable."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import bytewax.operators as op
import bytewax.operators.windowing as win
import orjson
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow

from tests.bench.peers.programs.mark import first

BROKERS = [os.environ["BROKER"]]
START = datetime(2023, 11, 14, tzinfo=UTC)
Event = dict[str, Any]
Figures = tuple[int, float, float, float]


def parse(msg: Any) -> Event | None:
    first()
    ev: Event = orjson.loads(msg.value)
    return ev if isinstance(ev.get("value"), (int, float)) else None


def unseen(seen: set[str] | None, ev: Event) -> tuple[set[str], list[Event]]:
    seen = set() if seen is None else seen
    if ev["event_id"] in seen:
        return seen, []
    seen.add(ev["event_id"])
    return seen, [ev]


def add(acc: Figures, ev: Event) -> Figures:
    v = ev["value"]
    return (acc[0] + 1, acc[1] + v, min(acc[2], v), max(acc[3], v))


def merge(a: Figures, b: Figures) -> Figures:
    return (a[0] + b[0], a[1] + b[1], min(a[2], b[2]), max(a[3], b[3]))


def to_msg(item: tuple[str, tuple[int, Figures]]) -> Any:
    device, (window_id, (n, s, lo, hi)) = item
    start = START.timestamp() + 60 * window_id
    figures = {"device": device, "window": start, "count": n, "mean": s / n, "min": lo, "max": hi}
    return KafkaSinkMessage(device.encode(), orjson.dumps(figures))


clock = win.EventClock(lambda ev: datetime.fromtimestamp(ev["ts"], UTC), wait_for_system_duration=timedelta(seconds=5))
windower = win.TumblingWindower(length=timedelta(minutes=1), align_to=START)

flow = Dataflow("clean")
msgs = kop.input("in", flow, brokers=BROKERS, topics=[os.environ["IN_TOPIC"]])
events = op.filter_map("parse", msgs.oks, parse)
keyed = op.key_on("key", events, lambda ev: ev["device"])
fresh = op.stateful_flat_map("dedup", keyed, unseen)
stats = win.fold_window("window", fresh, clock, windower, lambda: (0, 0.0, float("inf"), float("-inf")), add, merge)
kop.output("out", op.map("to_msg", stats.down, to_msg), brokers=BROKERS, topic=os.environ["OUT_TOPIC"])
