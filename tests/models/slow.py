"""A second opinion on models: one plain loop a key, one value at a time, no arrays."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

DAY = 86_400_000_000
CAP = 1e6


@dataclass(frozen=True, order=True)
class Row:
    """Ordered as models take rows."""

    time_us: int
    source: int
    offset: int
    key: str = field(compare=False)
    value: float = field(compare=False)


@dataclass(frozen=True)
class Score:
    """Of one row, after the warm-up."""

    row: Row
    expected: float
    deviation: float
    score: float


Judge = Callable[[list[float]], tuple[float, float]]


def robust_z(history: int) -> Judge:
    """Median of the last values, and their robust deviation."""

    def judge(before: list[float]) -> tuple[float, float]:
        last = before[-history:]
        middle = statistics.median(last)
        off = [abs(v - middle) for v in last]
        spread = 1.4826 * statistics.median(off)
        return middle, spread if spread > 0 else 1.2533 * math.fsum(off) / len(off)

    return judge


def ewma(weight: float) -> Judge:
    """Mean and deviation, from the first value on."""

    def judge(before: list[float]) -> tuple[float, float]:
        mean, variance = before[0], 0.0
        for n, x in enumerate(before[1:], 1):
            residual = x - mean
            if n >= 10 and variance > 0:
                most = 4 * math.sqrt(variance)
                residual = max(-most, min(most, residual))
            variance = (1 - weight) * (variance + weight * residual**2)
            mean += weight * residual
        return mean, math.sqrt(variance)

    return judge


def scores(
    rows: Sequence[Row], judge: Judge, warmup: int, least: float = 0.0, forget_us: int = 30 * DAY
) -> list[Score]:
    """Every score, in the order of the rows."""
    before: dict[str, list[float]] = {}
    last: dict[str, int] = {}
    out = []
    for row in sorted(rows):
        if row.time_us - last.get(row.key, row.time_us) > forget_us:
            before[row.key] = []
        seen = before.setdefault(row.key, [])
        if len(seen) >= warmup:
            expected, spread = judge(seen)
            spread = max(spread, least)
            off = row.value - expected
            score = 0.0 if off == 0 else math.copysign(CAP, off) if spread == 0 else off / spread
            out.append(Score(row, expected, spread, max(-CAP, min(CAP, score))))
        seen.append(row.value)
        last[row.key] = row.time_us
    return out
