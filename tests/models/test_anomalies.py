"""Anomalies planted into a seeded stream are found, few others are, and each says why."""

from __future__ import annotations

import random

import orjson
import pytest

from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.plan import Plan
from tests.core.streams import Manner, carry_out, offset_of

KEYS, STEPS, SHARE = 20, 1500, 0.01


def plan(score: str, threshold: float) -> Plan:
    return (
        Pipeline("anomalies")
        .source("streams.v1", time="t", key="device")
        .field("t", "float")
        .field("device", "str")
        .field("value", "float")
        .window("all", size="1h", lateness="1h", n="count()")
        .model("spike", score, threshold=threshold, lateness="10s")
        .plan
    )


def planted(seed: int, jump: float) -> tuple[list[bytes], dict[int, int]]:
    """Each key with a level and a scatter of its own; place of each anomaly -> whether it lies above or below."""
    draw = random.Random(seed)
    level = {f"d{k}": draw.uniform(-500, 500) for k in range(KEYS)}
    scatter = {key: draw.uniform(0.1, 20) for key in level}
    records: list[bytes] = []
    found: dict[int, int] = {}
    for step in range(STEPS):
        for key, middle in level.items():
            value = draw.gauss(middle, scatter[key])
            if step > 100 and draw.random() < SHARE:
                side = draw.choice([-1, 1])
                found[len(records)] = side
                value = middle + side * scatter[key] * draw.uniform(jump, 2 * jump)
            records.append(orjson.dumps({"t": step + draw.random() * 3, "device": key, "value": value}))
    return records, found


@pytest.mark.parametrize(("score", "threshold", "jump"), [("robust_z(value)", 5, 8), ("ewma(value, 0.05)", 5, 8)])
def test_planted_anomalies_are_found_with_precision_and_recall_above_nine_tenths(
    score: str, threshold: float, jump: float
) -> None:
    records, wanted = planted(11, jump)
    assert len(wanted) > 200
    events = carry_out([records], Manner(random.Random(2), partitions=3, longest=500), plan(score, threshold)).events
    places = {offset_of(place): side for place, side in wanted.items()}
    hits = [e for e in events if e["source_offset"] in places]
    assert len(hits) / len(events) >= 0.9, "precision"
    assert len(hits) / len(wanted) >= 0.9, "recall"
    for event in hits:
        side = places[event["source_offset"]]
        assert event["score"] * side > threshold
        assert event["because"].startswith("value is ")
        assert (" above " if side > 0 else " below ") in event["because"]
        assert f"{event['expected']:.6g}" in event["because"]
        assert event["seen"] == orjson.loads(records[_place(event["source_offset"])])["value"]


def _place(offset: int) -> int:
    return next(place for place in range(offset * 3 // 4 - 2, offset + 1) if place >= 0 and offset_of(place) == offset)
