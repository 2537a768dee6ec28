"""Numbers: int64 exact or null, float64 finite or null."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Mask, Numbers
from lepton_stream.expression.made import numbers, valid_in_all

Array: TypeAlias = NDArray[Any]
Step: TypeAlias = Callable[[list[Numbers]], Numbers]

_LEAST, _MOST = -(2**63), 2**63 - 1
_FLOAT_END = float(2**63)


def _is_int(column: Numbers) -> bool:
    return column.values.dtype == np.int64


def _values(args: list[Numbers]) -> list[Array]:
    return [column.values for column in args]


def _floats(result: Array, args: list[Numbers], bad: Mask | None = None) -> Numbers:
    wrong = ~np.isfinite(result)
    return numbers(result, valid_in_all(args), wrong if bad is None else wrong | bad)


def _add(args: list[Numbers]) -> Numbers:
    a, b = _values(args)
    total = a + b
    if not _is_int(args[0]):
        return _floats(total, args)
    return numbers(total, valid_in_all(args), ((a ^ total) & (b ^ total)) < 0)  # both have the other sign


def _subtract(args: list[Numbers]) -> Numbers:
    a, b = _values(args)
    rest = a - b
    if not _is_int(args[0]):
        return _floats(rest, args)
    return numbers(rest, valid_in_all(args), ((a ^ b) & (a ^ rest)) < 0)


def _multiply(args: list[Numbers]) -> Numbers:
    a, b = _values(args)
    product = a * b
    if not _is_int(args[0]):
        return _floats(product, args)
    if _largest(a) * _largest(b) <= _MOST:  # as Python integers: no product can leave the range
        return numbers(product, valid_in_all(args))
    smallest = (a == -1) & (b == _LEAST)  # its division would wrap, too
    divisor = np.where((a == 0) | smallest, 1, a)
    return numbers(product, valid_in_all(args), smallest | ((a != 0) & (product // divisor != b)))


def _largest(values: Array) -> int:
    return max(abs(int(values.max(initial=0))), abs(int(values.min(initial=0))))


def _divide(args: list[Numbers]) -> Numbers:
    a, b = _values(args)
    return _floats(a / b, args)


def _floor_divide(args: list[Numbers]) -> Numbers:
    a, b = _values(args)
    if not _is_int(args[0]):
        return _floats(np.floor_divide(a, b), args, b == 0)
    bad = (b == 0) | ((a == _LEAST) & (b == -1))
    return numbers(np.floor_divide(a, np.where(bad, 1, b)), valid_in_all(args), bad)


def _remainder(args: list[Numbers]) -> Numbers:
    a, b = _values(args)
    if not _is_int(args[0]):
        return _floats(np.mod(a, b), args, b == 0)
    none = (b == 0) | (b == -1)  # by -1 nothing is left over; the smallest integer must not be divided by it
    rest = np.where(none, 0, np.mod(a, np.where(none, 1, b)))
    return numbers(rest, valid_in_all(args), b == 0)


def _negative(args: list[Numbers]) -> Numbers:
    (values,) = _values(args)
    return numbers(-values, args[0].valid, values == _LEAST if _is_int(args[0]) else None)


def _absolute(args: list[Numbers]) -> Numbers:
    (values,) = _values(args)
    return numbers(np.abs(values), args[0].valid, values == _LEAST if _is_int(args[0]) else None)


def _as_float(args: list[Numbers]) -> Numbers:
    return Numbers(args[0].values.astype(np.float64), args[0].valid)


def _whole(rounding: Callable[[Array], Array], args: list[Numbers]) -> Numbers:
    if _is_int(args[0]):
        return args[0]
    value = rounding(args[0].values)
    bad = ~((value >= -_FLOAT_END) & (value < _FLOAT_END))
    return numbers(np.where(bad, 0, value).astype(np.int64), args[0].valid, bad)


def _of_floats(function: Callable[..., Array], args: list[Numbers]) -> Numbers:
    return _floats(function(*_values(args)), args)


def _extreme(pick: Callable[[Array, Array], Array], args: list[Numbers]) -> Numbers:
    return numbers(reduce(pick, _values(args)), valid_in_all(args))


STEPS: dict[str, Step] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "//": _floor_divide,
    "%": _remainder,
    "negative": _negative,
    "abs": _absolute,
    "float": _as_float,
    "floor": partial(_whole, np.floor),
    "ceil": partial(_whole, np.ceil),
    "round": partial(_whole, np.rint),
    "sqrt": partial(_of_floats, np.sqrt),
    "log": partial(_of_floats, np.log),
    "exp": partial(_of_floats, np.exp),
    "pow": partial(_of_floats, np.power),
    "min": partial(_extreme, np.minimum),
    "max": partial(_extreme, np.maximum),
}
