"""Comparisons and conditions, in the three values of SQL: true, false and null."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Column, Mask, Numbers, is_valid
from lepton_stream.expression.made import numbers, valid_in_all
from lepton_stream.expression.tree import Scalar


def is_null(column: Column) -> Numbers:
    """Where the column has no value; never null itself."""
    return Numbers(~is_valid(column))


def among(column: Numbers, listed: Sequence[Scalar]) -> Numbers:
    """Where the value is one of the list."""
    return numbers(np.isin(column.values, np.array(listed, column.values.dtype)), column.valid)


def _compare(compare: Callable[[Any, Any], NDArray[np.bool_]], args: list[Numbers]) -> Numbers:
    return numbers(compare(args[0].values, args[1].values), valid_in_all(args))


def _not(args: list[Numbers]) -> Numbers:
    return numbers(np.logical_not(args[0].values), args[0].valid)


def _decided(args: list[Numbers], by: bool) -> Numbers:
    """`and` (by False) and `or` (by True): one operand of that value decides, else a null leaves it open."""
    left, right = args
    told: Mask = (is_valid(left) & (left.values == by)) | (is_valid(right) & (right.values == by))
    both = valid_in_all(args)
    return numbers(told if by else ~told, None if both is None else both | told)


STEPS: dict[str, Callable[[list[Numbers]], Numbers]] = {
    "==": partial(_compare, np.equal),
    "<": partial(_compare, np.less),
    "<=": partial(_compare, np.less_equal),
    ">": partial(_compare, np.greater),
    ">=": partial(_compare, np.greater_equal),
    "not": _not,
    "and": partial(_decided, by=False),
    "or": partial(_decided, by=True),
}
