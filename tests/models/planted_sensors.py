"""A machine's sensors with planted drifts: a level that creeps away, is noticed, and is set right again at once.

The background has the shape of the shipped sample (DEBS 2012): a level that wanders by itself, values about it that
hang together from one to the next, whole counts, and for the power of the phases peaks of less than a second, thousands
of counts high; one has a cycle. A season of five minutes runs through all; one machine is quiet, a third as noisy as
the others.
`tests/models/test_planted_sensors.py` holds the shape against the sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
MACHINES, QUIET = ("machine-1", "machine-2", "machine-3", "quiet"), 1 / 3
BEGIN_MS, STEP_MS, SEASON = 1_329_929_188_000, 10, 30_000
"""2012-02-22T16:46:28; a hundred samples a second; samples of a season."""
CALM, SHORTEST, LONGEST, HELD = 6000, 500, 1500, 200
"""Samples before a machine's first drift, of a drift, and of the level that it ends at."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """In counts. `wander`, `samples`: how far the level wanders, and in how many samples; `noise`, `tie`: the scatter
    of values about it, and the share that one has of the one before; `peaks`: whether there are some; `dip`: how far
    values lie lower for three seconds out of fifteen.
    """

    level: float
    wander: float
    samples: int
    noise: float
    tie: float
    peaks: bool = False
    dip: float = 0

    @property
    def usual(self) -> float:
        """How far the mean of a second or a few lies off the level, roughly: a drift must be seen against this."""
        return float(np.sqrt(self.wander**2 + (self.noise / 3) ** 2 + (self.dip / 4) ** 2))


SENSORS = {
    "mf01": Sensor(13_050, 90, 1200, 8, 0.95, peaks=True),
    "mf02": Sensor(14_380, 85, 1200, 18, 0.95, peaks=True),
    "mf03": Sensor(8_090, 18, 800, 14, 0.97, peaks=True, dip=90),
    "pc13": Sensor(70, 2.2, 2000, 3.9, 0.8),
    "pc14": Sensor(190, 0.9, 1000, 3.8, 0.78),
    "pc15": Sensor(152, 1.5, 1500, 4.0, 0.8),
}


@dataclass(frozen=True, slots=True)
class Drifted:
    """Samples [first, last) of one sensor; `side`: 1 upwards, -1 downwards."""

    machine: str
    field: str
    first: int
    last: int
    side: int


def stream(seed: int, samples: int, *, drifts: bool = True) -> tuple[list[bytes], list[Drifted]]:
    """So many samples of each machine, by time, and what drifts."""
    planted: list[Drifted] = []
    columns: dict[str, dict[str, list[int]]] = {}
    for m, machine in enumerate(MACHINES):
        columns[machine] = {}
        for s, (field, sensor) in enumerate(SENSORS.items()):
            draw = np.random.default_rng([seed, m, s])
            scale = QUIET if machine == "quiet" else 1.0
            values = background(draw, sensor, samples, scale)
            if drifts:
                planted += (Drifted(machine, field, *where) for where in _drifts(draw, values, scale * sensor.usual))
            columns[machine][field] = np.round(values).astype(np.int64).tolist()
    return list(_records(columns, samples)), planted


def background(draw: np.random.Generator, sensor: Sensor, samples: int, scale: float = 1.0) -> Floats:
    """Values of a sensor at which nothing is wrong."""
    wander = sensor.wander * _tied(draw, samples, 1 - 1 / sensor.samples)
    noise = sensor.noise * _tied(draw, samples, sensor.tie)
    season = sensor.usual / 2 * np.sin(2 * np.pi * (np.arange(samples) / SEASON + draw.random()))
    values = sensor.level + scale * (wander + noise + season)
    values -= scale * sensor.dip * ((np.arange(samples) + draw.integers(1500)) % 1500 < 300)
    at = 0
    while sensor.peaks and (at := at + 300 + int(draw.exponential(1500))) < samples:
        values[at : at + int(draw.integers(30, 80))] += draw.uniform(500, 5000)
    return values


def _tied(draw: np.random.Generator, n: int, tie: float) -> Floats:
    """Normal values, each with a share `tie` of the one before."""
    fresh = (np.sqrt(1 - tie * tie) * draw.normal(size=n)).tolist()
    out, last = [], float(draw.normal())
    for one in fresh:
        last = tie * last + one
        out.append(last)
    return np.array(out)


def _drifts(draw: np.random.Generator, values: Floats, usual: float) -> Iterator[tuple[int, int, int]]:
    """Plant some, in place: ten to twenty times what is usual for the level, within five to fifteen seconds."""
    at = CALM + int(draw.integers(0, 3000))
    while (last := at + (ramp := int(draw.integers(SHORTEST, LONGEST))) + HELD) < len(values):
        side = int(draw.choice([-1, 1]))
        end = side * usual * draw.uniform(10, 20)
        values[at : at + ramp] += end * np.arange(1, ramp + 1) / ramp
        values[at + ramp : last] += end
        yield at, last, side
        at = last + int(draw.integers(4000, 7000))


def _records(columns: dict[str, dict[str, list[int]]], samples: int) -> Iterator[bytes]:
    time = BEGIN_MS + STEP_MS * np.arange(samples)
    texts = np.datetime_as_string(time.astype("datetime64[ms]"), unit="ms").tolist()
    for i, text in enumerate(texts):
        for machine, sensors in columns.items():
            row = {"machine": machine, "ts": f"{text}+00:00", "index": i}
            yield orjson.dumps(row | {field: values[i] for field, values in sensors.items()})
