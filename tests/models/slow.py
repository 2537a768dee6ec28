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
    seen: float
    expected: float
    deviation: float
    score: float


Judge = Callable[[list[float], float], tuple[float, float, float]]
"""Values before, value -> (what is compared, what was expected, deviation)."""


def robust_z(history: int) -> Judge:
    """Median of the last values, and their robust deviation."""

    def judge(before: list[float], value: float) -> tuple[float, float, float]:
        last = before[-history:]
        middle = statistics.median(last)
        off = [abs(v - middle) for v in last]
        spread = 1.4826 * statistics.median(off)
        return value, middle, spread if spread > 0 else 1.2533 * math.fsum(off) / len(off)

    return judge


def ewma(weight: float) -> Judge:
    """Mean and deviation, from the first value on."""

    def judge(before: list[float], value: float) -> tuple[float, float, float]:
        mean, variance = before[0], 0.0
        for n, x in enumerate(before[1:], 1):
            residual = x - mean
            if n >= 10 and variance > 0:
                most = 4 * math.sqrt(variance)
                residual = max(-most, min(most, residual))
            variance = (1 - weight) * (variance + weight * residual**2)
            mean += weight * residual
        return value, mean, math.sqrt(variance)

    return judge


def drift(weight: float) -> Judge:
    """The level, a mean whose steps are bounded, against the last 64 levels, 1 / weight values apart."""

    def judge(before: list[float], value: float) -> tuple[float, float, float]:
        level, variance, levels = 0.0, 0.0, []
        for n, x in enumerate([*before, value]):
            step = x - level if n else 0.0
            if n >= 10 and variance > 0:
                step = math.copysign(min(abs(step), 2 * math.sqrt(variance)), step)
            level = level + max(weight, 1 / (n + 1)) * step if n else x
            variance += max(weight / 4, 1 / (n + 1)) * (step**2 - variance)
            if n < len(before) and (n + 1) % round(1 / weight) == 0:
                levels.append(level)
        return robust_z(64)(levels, level)

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
            compared, expected, spread = judge(seen, row.value)
            spread = max(spread, least)
            off = compared - expected
            score = 0.0 if off == 0 else math.copysign(CAP, off) if spread == 0 else off / spread
            out.append(Score(row, compared, expected, spread, max(-CAP, min(CAP, score))))
        seen.append(row.value)
        last[row.key] = row.time_us
    return out


def onsets(of_a_key: Sequence[float], threshold: float) -> list[int]:
    """Which of a key's scores, in their order, begin an episode of alarms."""
    episode, out = 0, []
    for place, score in enumerate(of_a_key):
        side = 1 if score > 0 else -1
        if abs(score) >= threshold and side != episode:
            out.append(place)
            episode = side
        elif abs(score) < threshold / 2:
            episode = 0
    return out
