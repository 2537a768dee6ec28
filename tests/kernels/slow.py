"""Every function of the catalogue in one line each, over the values of one group, with exact fractions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction
from typing import TypeAlias

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


EXACT: dict[str, Callable[[Values, int], Value]] = {
    "count": lambda values, rows: len(values),
    "null_count": lambda values, rows: rows - len(values),
    "sum": lambda values, rows: sum_of(values) if values else None,
    "variance": lambda values, rows: double(variance_of(values)) if len(values) > 1 else None,
    "min": lambda values, rows: min(values, default=None),
    "max": lambda values, rows: max(values, default=None),
    "first": lambda values, rows: values[0] if values else None,
    "last": lambda values, rows: values[-1] if values else None,
}
"""Of a group's values that are there and its number of rows: what the result must equal."""

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
