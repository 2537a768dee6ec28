"""What functions read off states: one value a group, missing where there is none or no double holds it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from lepton_stream.columns import Numbers, Told, listed
from lepton_stream.kernels import exact
from lepton_stream.kernels.kernel import Array, State

Read: TypeAlias = Callable[[list[State]], Told]
_SECOND = 1e6  # microseconds


def numbers(values: Array, there: Array) -> Numbers:
    """A column, missing where nothing is there or the value is beyond the range of doubles."""
    if values.dtype.kind == "f":
        there = there & np.isfinite(values)
    if there.all():
        return Numbers(values)
    return Numbers(np.where(there, values, values.dtype.type(0)), there)


def counts(states: list[State]) -> Told:
    """Rows."""
    return Numbers(states[0]["rows"])


def null_counts(states: list[State]) -> Told:
    """Rows less those with a value."""
    return Numbers(states[0]["rows"] - states[1]["rows"])


def sums(of_integers: bool) -> Read:
    """Of total and count."""

    def read(states: list[State]) -> Told:
        total, there = states[0], states[1]["rows"] > 0
        if not of_integers:
            return numbers(exact.to_floats(total, len(there)), there)
        small = exact.to_int64(total, len(there))
        if small is not None:
            return numbers(small, there)
        whole, exponent = exact.to_integers(total, len(there))
        return [_whole(v << exponent) if ok else None for v, ok in zip(whole, there.tolist(), strict=True)]

    return read


def means(states: list[State]) -> Told:
    """Of total and count."""
    count = states[1]["rows"]
    return numbers(exact.to_means(states[0], np.maximum(count, 1)), count > 0)


def _whole(value: int) -> int | float:
    """The integer while it fits int64, which is what readers of results can hold; else the nearest double."""
    return value if -(1 << 63) <= value < 1 << 63 else float(value)


def quotient(numerator: int, denominator: int, exponent: int) -> float:
    """The fraction times 2**exponent, rounded once: so Python divides integers. Raises OverflowError."""
    if exponent >= 0:
        return (numerator << exponent) / denominator
    return numerator / (denominator << -exponent)


def root(numerator: int, denominator: int, exponent: int) -> float:
    """The root, within one unit in the last place, also of what is no double itself. Raises OverflowError."""
    size = (numerator.bit_length() - denominator.bit_length() + exponent) // 2
    return math.ldexp(math.sqrt(quotient(numerator, denominator, exponent - 2 * size)), size)


def spreads(rounded: Callable[[int, int, int], float]) -> Read:
    """Of total, squares and count: what `rounded` makes of (n Q - S²), n (n - 1) and a power of two, all exact.

    None below two values.
    """

    def of_one(n: int, total: int, squares: int, exponent: int) -> float | None:
        if n < 2:
            return None
        try:
            return rounded(n * squares - total * total, n * (n - 1), exponent)
        except OverflowError:
            return None

    def of_states(states: list[State]) -> list[Any]:
        counts = states[2]["rows"].tolist()
        totals, e = exact.to_integers(states[0], len(counts))
        squares, f = exact.to_integers(states[1], len(counts))
        common = min(2 * e, f)
        up, up_squares = (2 * e - common) // 2, f - common
        return [of_one(n, t << up, q << up_squares, common) for n, t, q in zip(counts, totals, squares, strict=True)]

    return of_states


def values(states: list[State]) -> Told:
    """Of an extreme or an edge."""
    values, seen = states[0].get("int", states[0].get("float")), states[0]["seen"]
    return [None] * len(seen) if values is None else numbers(values, seen)


def _values(state: State) -> list[Any]:
    return listed(values([state]))


def ranges(states: list[State]) -> list[Any]:
    """Of the smallest and the largest."""
    return [_difference(high, low) for low, high in zip(*map(_values, states), strict=True)]


def _difference(more: float | None, less: float | None) -> int | float | None:
    if more is None or less is None:
        return None
    apart = more - less
    return _whole(apart) if isinstance(apart, int) else apart if math.isfinite(apart) else None


def rates(states: list[State]) -> list[Any]:
    """Of the first and the last."""
    took = (_SECOND / t if t else None for t in _microseconds(*states))
    rises = (_difference(last, first) for first, last in zip(*map(_values, states), strict=True))
    found = (None if rise is None or by is None else rise * by for rise, by in zip(rises, took, strict=True))
    return [v if v is None or math.isfinite(v) else None for v in found]


def _microseconds(first: State, last: State) -> list[int]:
    return [b - a for a, b in zip(first["time"].tolist(), last["time"].tolist(), strict=True)]


def candles(states: list[State]) -> list[Any]:
    """Of the first, the largest, the smallest and the last: one list a group."""
    return [None if four[0] is None else list(four) for four in zip(*map(_values, states), strict=True)]
