"""What a window's results may call: each function names the kernels it reads and how its column is read off them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lepton_stream.columns import Numbers, listed
from lepton_stream.kernels import pairs, reading
from lepton_stream.kernels.bins import Bins, histogram
from lepton_stream.kernels.counting import Count
from lepton_stream.kernels.different import Distinct, distinct
from lepton_stream.kernels.edges import Edge
from lepton_stream.kernels.extremes import Extreme
from lepton_stream.kernels.frequent import Frequent, top
from lepton_stream.kernels.kernel import Kernel, State
from lepton_stream.kernels.pairs import Moments, Pair
from lepton_stream.kernels.quantiles import Ranks, quantiles
from lepton_stream.kernels.reading import Read
from lepton_stream.kernels.total import Squares, Total
from lepton_stream.pipeline.plan import Call


@dataclass(frozen=True, slots=True)
class Function:
    """`kernels`: the states it needs; `read`: those states, in that order, to one value a group."""

    kernels: tuple[Kernel, ...]
    read: Read


def function(call: Call, types: dict[str, str]) -> Function:
    """The function that a checked call names. `types`: the plan's field types by name. Raises KeyError if unknown."""
    field = str(call.args[0]) if call.args else ""
    whole = types.get(field) == "int"
    squares = (Total(field), Squares(field), Count(field))
    makers: dict[str, Callable[[], Function]] = {
        "count": lambda: Function((Count(field or None),), reading.counts),
        "null_count": lambda: Function((Count(), Count(field)), reading.null_counts),
        "sum": lambda: Function((Total(field), Count(field)), reading.sums(whole)),
        "mean": lambda: Function((Total(field), Count(field)), reading.means),
        "variance": lambda: Function(squares, reading.spreads(reading.quotient)),
        "std": lambda: Function(squares, reading.spreads(reading.root)),
        "min": lambda: Function((Extreme(field, 1),), reading.values),
        "max": lambda: Function((Extreme(field, -1),), reading.values),
        "first": lambda: Function((Edge(field, 1),), reading.values),
        "last": lambda: Function((Edge(field, -1),), reading.values),
        "range": lambda: Function((Extreme(field, 1), Extreme(field, -1)), reading.ranges),
        "rate": lambda: Function((Edge(field, 1), Edge(field, -1)), reading.rates),
        "ohlc": lambda: Function(
            (Edge(field, 1), Extreme(field, -1), Extreme(field, 1), Edge(field, -1)), reading.candles
        ),
        "quantile": lambda: _quantile(field, whole, float(call.args[1])),
        "median": lambda: _quantile(field, whole, 0.5),
        "distinct": lambda: _distinct(Distinct(field)),
        "top": lambda: _top(Frequent(field, types[field]), int(call.args[1])),
        "histogram": lambda: _histogram(Bins(field, float(call.args[1]), float(call.args[2]), int(call.args[3]))),
        "covariance": lambda: _pair(call, pairs.covariance),
        "correlation": lambda: _pair(call, pairs.correlation),
        "weighted_mean": lambda: _pair(call, pairs.weighted_mean),
    }
    return makers[call.function]()


def _quantile(field: str, whole: bool, q: float) -> Function:
    kernel = Ranks(field, whole)
    return Function((kernel,), lambda states: quantiles(kernel, states[0], q))


def _distinct(kernel: Distinct) -> Function:
    return Function((kernel,), lambda states: Numbers(distinct(kernel, states[0])))


def _top(kernel: Frequent, k: int) -> Function:
    return Function((kernel,), lambda states: top(kernel, states[0], k))


def _histogram(kernel: Bins) -> Function:
    return Function((kernel,), lambda states: histogram(kernel, states[0]))


def _pair(call: Call, read: Callable[[Moments], float | None]) -> Function:
    x, y = map(str, call.args)
    return Function((Pair(min(x, y), max(x, y)),), pairs.of_each(read, turned=x > y))


def column(function: Function, states: dict[str, State]) -> list[Any]:
    """One Python value a group: what the function reads off a table's states, which are found by kernel key."""
    return listed(function.read([states[kernel.key] for kernel in function.kernels]))
