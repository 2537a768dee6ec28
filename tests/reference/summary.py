"""The figures of one group of rows, exactly: fractions and fsum, one rounding at the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple


class Row(NamedTuple):
    """One accepted row; the first three fields are the order of first and last."""

    time_us: int
    partition: int
    offset: int
    value: float | None


@dataclass(frozen=True)
class Summary:
    """`rows` counts all rows, `count` those with a value. None: there is no such figure yet."""

    rows: int
    count: int
    sum: float | None
    mean: float | None
    variance: float | None
    min: float | None
    max: float | None
    first: float | None
    last: float | None

    @property
    def std(self) -> float | None:
        """Sample standard deviation."""
        return None if self.variance is None else math.sqrt(self.variance)


def summarise(rows: Sequence[Row]) -> Summary:
    """All figures of the group; variance is the sample variance (n - 1)."""
    held = sorted((r.time_us, r.partition, r.offset, r.value) for r in rows if r.value is not None)
    values = [value for *_, value in held]
    n = len(values)
    if not n:
        return Summary(len(rows), 0, None, None, None, None, None, None, None)
    total, variance = Fraction(0), None
    for value in values:
        total += Fraction(value)
    if n > 1:
        mean = total / n
        variance = float(sum(((Fraction(v) - mean) ** 2 for v in values), Fraction(0)) / (n - 1))
    return Summary(
        rows=len(rows),
        count=n,
        sum=math.fsum(values),
        mean=float(total / n),
        variance=variance,
        min=min(values),
        max=max(values),
        first=values[0],
        last=values[-1],
    )
