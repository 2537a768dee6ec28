"""What a window's results may call: each function names the kernels it reads and reads its column off their states."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lepton_stream.kernels import exact
from lepton_stream.kernels.counting import Count
from lepton_stream.kernels.edges import Edge
from lepton_stream.kernels.extremes import Extreme
from lepton_stream.kernels.kernel import Array, Kernel, State
from lepton_stream.kernels.total import Squares, Total
from lepton_stream.pipeline.plan import Call

Read: TypeAlias = Callable[[list[State]], list[Any]]


@dataclass(frozen=True, slots=True)
class Function:
    """`kernels`: the states it needs; `read`: those states, in that order, to one Python value a group."""

    kernels: tuple[Kernel, ...]
    read: Read


def _listed(values: Array, there: Array) -> list[Any]:
    """Python values, None where nothing is there or the value is beyond the range of doubles."""
    if values.dtype.kind == "f":
        there = there & np.isfinite(values)
    return [v if ok else None for v, ok in zip(values.tolist(), there.tolist(), strict=True)]


def _count(states: list[State]) -> list[Any]:
    return list(states[0]["rows"].tolist())


def _null_count(states: list[State]) -> list[Any]:
    return list((states[0]["rows"] - states[1]["rows"]).tolist())


def _sum(of_integers: bool) -> Read:
    def read(states: list[State]) -> list[Any]:
        total, there = states[0], states[1]["rows"] > 0
        if of_integers:
            whole, exponent = exact.to_integers(total, len(there))
            return [_whole(v << exponent) if ok else None for v, ok in zip(whole, there.tolist(), strict=True)]
        return _listed(exact.to_floats(total, len(there)), there)

    return read


def _mean(states: list[State]) -> list[Any]:
    count = states[1]["rows"]
    return _listed(exact.to_means(states[0], np.maximum(count, 1)), count > 0)


def _whole(value: int) -> int | float:
    """The integer while it fits int64, which is what readers of results can hold; else the nearest double."""
    return value if -(1 << 63) <= value < 1 << 63 else float(value)


def _quotient(numerator: int, denominator: int, exponent: int) -> float:
    """The fraction times 2**exponent, rounded once: so Python divides integers. Raises OverflowError."""
    if exponent >= 0:
        return (numerator << exponent) / denominator
    return numerator / (denominator << -exponent)


def _root(numerator: int, denominator: int, exponent: int) -> float:
    """The root, within one unit in the last place, also of what is no double itself. Raises OverflowError."""
    size = (numerator.bit_length() - denominator.bit_length() + exponent) // 2
    return math.ldexp(math.sqrt(_quotient(numerator, denominator, exponent - 2 * size)), size)


def _spread(rounded: Callable[[int, int, int], float]) -> Read:
    """What `rounded` makes of (n Q - S²), n (n - 1) and a power of two, all exact; None below two values."""

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


def _value(states: list[State]) -> list[Any]:
    state = states[0]
    values = state.get("int", state.get("float"))
    return [None] * len(state["seen"]) if values is None else _listed(values, state["seen"])


def function(call: Call, types: dict[str, str]) -> Function:
    """The function that a checked call names. `types`: the plan's field types by name. Raises KeyError if unknown."""
    name, field = call.function, str(call.args[0]) if call.args else ""
    whole = types.get(field) == "int"
    makers: dict[str, Callable[[], Function]] = {
        "count": lambda: Function((Count(field or None),), _count),
        "null_count": lambda: Function((Count(), Count(field)), _null_count),
        "sum": lambda: Function((Total(field), Count(field)), _sum(whole)),
        "mean": lambda: Function((Total(field), Count(field)), _mean),
        "variance": lambda: Function((Total(field), Squares(field), Count(field)), _spread(_quotient)),
        "std": lambda: Function((Total(field), Squares(field), Count(field)), _spread(_root)),
        "min": lambda: Function((Extreme(field, 1),), _value),
        "max": lambda: Function((Extreme(field, -1),), _value),
        "first": lambda: Function((Edge(field, 1),), _value),
        "last": lambda: Function((Edge(field, -1),), _value),
    }
    return makers[name]()


def column(function: Function, states: dict[str, State]) -> list[Any]:
    """One value a group: what the function reads off a table's states, which are found by kernel key."""
    return function.read([states[kernel.key] for kernel in function.kernels])
