"""A plan with models of every kind and form, and streams whose records all count."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import orjson

from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.plan import Plan
from tests.core.streams import offset_of
from tests.models.slow import Row


def base() -> Pipeline:
    """Records as those of tests/core; no dedup, and a window that no record is late for."""
    return (
        Pipeline("models")
        .source("streams.v1", time="t", key="device")
        .field("t", "float")
        .field("device", "str")
        .field("value", "float", required=False)
        .field("seq", "int", required=False)
        .field("ok", "bool")
        .window("all", size="1h", lateness="1d", n="count()")
    )


PLAN: Plan = (
    base()
    .model("robust", "robust_z(value, 9)", threshold=4, warmup=5, lateness="20s", emit="all")
    .model("mean", "ewma(value, 0.2)", threshold=3, warmup=4, least_deviation=0.01, lateness="30s", emit="all")
    .model("alarms", "ewma(seq)", by=["device", "ok"], threshold=2, warmup=2, forget="10s", lateness="5s")
    .model("creep", "drift(value, 0.25)", threshold=3, warmup=8, lateness="20s", emit="all")
    .model("begins", "ewma(value, 0.2)", threshold=1.5, warmup=4, lateness="30s", emit="onsets")
    .model("one", "robust_z(seq)", by=[], threshold=1, warmup=8, lateness="1m", where="ok")
    .plan
)


def written_readings(path: Path) -> Path:
    """A file of 3,000 of them, of one source."""
    path.write_bytes(b"".join(raw + b"\n" for raw in readings(9, 3000, sources=1)[0]))
    return path


def readings(seed: int, n: int, sources: int = 2, disorder_s: float = 4.0) -> list[list[bytes]]:
    """Values that wander, with spikes, flat stretches, gaps of the value and equal times."""
    draw = random.Random(seed)
    out: list[list[bytes]] = [[] for _ in range(sources)]
    for i in range(n):
        value = round(draw.gauss(10, 2), 2) if i % 50 > 12 else 7.0
        value += 100 if draw.random() < 0.02 else 0
        time = round((i / 3 - draw.random() * disorder_s) * 2) / 2
        record = {"t": time, "device": draw.choice("abß"), "value": None if draw.random() < 0.1 else value}
        record |= {"seq": draw.randrange(-3, 4) if i % 7 else None, "ok": draw.random() < 0.7}
        out[i % sources].append(orjson.dumps(record))
    return out


def rows_of(partitions: Sequence[Sequence[bytes]], name: str = "value") -> list[Row]:
    """What the models take of the streams."""
    out = []
    for source, records in enumerate(partitions):
        for place, raw in enumerate(records):
            one = orjson.loads(raw)
            if one[name] is not None:
                time = round(one["t"] * 1_000_000)
                out.append(Row(time, source, offset_of(place), one["device"], one[name]))
    return out
