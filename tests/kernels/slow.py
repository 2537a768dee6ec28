"""Every function of the catalogue in one line each, over the values of one group, with exact fractions."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

Value: TypeAlias = int | float | None
Values: TypeAlias = list[int] | list[float]
"""The values of a group that are there, in the order of (event time, source partition, offset)."""

WIDE = Context(prec=1600)


def double(exact: Fraction) -> float | None:
    """The nearest double, None beyond their range."""
    try:
        return exact.numerator / exact.denominator
    except OverflowError:
        return None


def whole(total: int) -> int | float:
    """Integers are exact as long as int64 holds them."""
    return total if -(2**63) <= total < 2**63 else float(total)


def sum_of(values: Values) -> Value:
    total = sum(map(Fraction, values))
    return whole(int(total)) if all(isinstance(v, int) for v in values) else double(Fraction(total))


def variance_of(values: Values) -> Fraction:
    return Fraction(statistics.variance(map(Fraction, values)))


def std_of(values: Values) -> Decimal:
    exact = variance_of(values)
    return WIDE.sqrt(WIDE.divide(Decimal(exact.numerator), Decimal(exact.denominator)))


def rank_of(values: Values, q: float) -> Value:
    return sorted(values)[max(1, math.ceil(Fraction(str(q)) * len(values))) - 1] if values else None


def counters_of(values: Values, k: int) -> list[dict[str, Any]] | None:
    best = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))[:k]
    return [{"value": value, "count": count, "error": 0} for value, count in best] or None


def range_of(values: Values) -> Value:
    apart = Fraction(max(values)) - Fraction(min(values))
    return whole(int(apart)) if all(isinstance(v, int) for v in values) else double(apart)


def bins_of(values: Values, low: float, high: float, bins: int) -> list[int]:
    edges = np.linspace(low, high, bins + 1).tolist()
    inside = [sum(a <= v < b for v in values) for a, b in pairwise(edges)]
    inside[-1] += sum(v == high for v in values)
    return [sum(v < low for v in values), *inside, sum(v > high for v in values)]


EXACT: dict[str, Callable[..., Any]] = {
    "count": lambda values, rows: len(values),
    "null_count": lambda values, rows: rows - len(values),
    "sum": lambda values, rows: sum_of(values) if values else None,
    "variance": lambda values, rows: double(variance_of(values)) if len(values) > 1 else None,
    "min": lambda values, rows: min(values, default=None),
    "max": lambda values, rows: max(values, default=None),
    "first": lambda values, rows: values[0] if values else None,
    "last": lambda values, rows: values[-1] if values else None,
    "range": lambda values, rows: range_of(values) if values else None,
    "ohlc": lambda values, rows: [values[0], max(values), min(values), values[-1]] if values else None,
    "quantile": lambda values, rows, q: rank_of(values, q),
    "median": lambda values, rows: rank_of(values, 0.5),
    "distinct": lambda values, rows: len(set(values)),
    "top": lambda values, rows, k: counters_of(values, k),
    "histogram": lambda values, rows, *how: bins_of(values, *how) if values else None,
}
"""Of a group's values that are there, its number of rows and the call's numbers: what the result must equal."""

Pairs: TypeAlias = list[tuple[Fraction, Fraction]]


def covariance_of(pairs: Pairs) -> Fraction:
    mean_x, mean_y = (Fraction(statistics.mean(side)) for side in zip(*pairs, strict=True))
    return sum(((x - mean_x) * (y - mean_y) for x, y in pairs), Fraction(0)) / (len(pairs) - 1)


def correlation_of(pairs: Pairs) -> Decimal | None:
    squares = covariance_of([(x, x) for x, _ in pairs]) * covariance_of([(y, y) for _, y in pairs])
    return as_decimal(covariance_of(pairs)) / WIDE.sqrt(as_decimal(squares)) if squares else None


def as_decimal(exact: Fraction) -> Decimal:
    return WIDE.divide(Decimal(exact.numerator), Decimal(exact.denominator))


def weighted_mean_of(pairs: Pairs) -> float | None:
    weights = sum((w for _, w in pairs), Fraction(0))
    return double(sum((x * w for x, w in pairs), Fraction(0)) / weights) if weights else None


PAIRED: dict[str, Callable[[Pairs], float | Decimal | None]] = {
    "covariance": lambda pairs: double(covariance_of(pairs)) if len(pairs) > 1 else None,
    "correlation": lambda pairs: correlation_of(pairs) if len(pairs) > 1 else None,
    "weighted_mean": weighted_mean_of,
}
"""Of the rows of a group where both fields are there: what the result must be; a correlation within 1e-15."""


def rate_of(timed: list[tuple[int, Fraction]]) -> Fraction | None:
    """Of (microseconds, value) in order."""
    if not timed or timed[0][0] == timed[-1][0]:
        return None
    return (timed[-1][1] - timed[0][1]) * 10**6 / (timed[-1][0] - timed[0][0])


NEAR: dict[str, Callable[[Values], Fraction]] = {
    "mean": lambda values: Fraction(statistics.mean(map(Fraction, values))),
    "std": lambda values: Fraction(std_of(values)),
}
"""Of a group's values: what the result must be within one unit in the last place of."""

AT_LEAST = {"mean": 1, "std": 2}
"""Values that a function needs; below, there is no result."""


def is_near(found: float, exact: Fraction) -> bool:
    """Whether `found` is finite and within one unit in its last place."""
    return math.isfinite(found) and abs(Fraction(found) - exact) <= Fraction(math.ulp(found))
