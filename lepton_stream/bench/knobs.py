"""How the cost of an event grows with what it is like: each knob turned alone, the others at their defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lepton_stream.bench.kafka import Through, to_the_end
from lepton_stream.bench.shape import Shape
from lepton_stream.bench.spread import Spread

KNOBS: Mapping[str, Sequence[float]] = {
    "keys": (10, 1000, 100_000, 1_000_000),
    "windows": (1, 2, 5, 10, 20),
    "fields": (2, 5, 10, 20, 50),
    "size": (100, 300, 1000, 3000, 10_000),
    "bad": (0.0, 0.005, 0.05, 0.1, 0.2),
}
MEANING = {
    "keys": "devices",
    "windows": "window sections",
    "fields": "numbers read of an event",
    "size": "bytes of an event",
    "bad": "share of bad events",
}
MOST_BYTES = 150_000_000
"""Of one workload: longer events come in smaller numbers."""


def shape_of(knob: str, value: float, records: int) -> Shape:
    """A workload with one knob turned."""
    shape = Shape(records).of(**{knob: value if knob == "bad" else int(value)})
    each = max(shape.size, 126 + 16 * (shape.fields - 1))
    return shape.of(records=min(records, MOST_BYTES // each))


def knobs(through: Through, records: int, runs: int, chosen: Mapping[str, Sequence[float]] = KNOBS) -> dict[str, Any]:
    """CPU seconds a million events at each turn of each knob, from the first chunk to the last result.

    Raises IntegrityError where a result is wrong.
    """
    return {
        "records": records,
        "knobs": {
            knob: [_row(through, knob, value, shape_of(knob, value, records), runs) for value in values]
            for knob, values in chosen.items()
        },
    }


def _row(through: Through, knob: str, value: float, shape: Shape, runs: int) -> dict[str, Any]:
    stock, _ = through.fed(shape)
    costs = []
    for number in range(1, runs + 1):
        through.tell(f"scale: {knob} {value:g}, run {number} of {runs}")
        done = to_the_end(through, shape)
        costs.append(done.busy_cpu_seconds / done.events * 1e6)
    return {
        "value": value,
        "events": shape.records,
        "event_bytes": stock.event_bytes,
        "cpu_seconds_per_million": Spread.of(costs).plain(),
    }
