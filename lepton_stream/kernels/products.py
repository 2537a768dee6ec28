"""Exact sums of products, in the limbs of `exact`: integers and doubles, in any mixture."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Index, Mask
from lepton_stream.kernels.exact import BITS, add_floats, two_product
from lepton_stream.kernels.kernel import State

Floats = NDArray[np.float64]
_WHOLE = 1 << 53  # integers up to here are doubles
_FAR = 19  # limbs: 608 bits keep products of very large and very small numbers clear of overflow and underflow


def add_products(into: State, groups: Index, x: Floats | Index, y: Floats | Index, count: int) -> None:
    """Add x[i] * y[i] exactly to group groups[i] < count, in place. Floats are finite."""
    for left, right in product(_doubles(x), _doubles(y)):
        _add(into, groups, left, right, count)


def _doubles(values: Floats | Index) -> list[Floats]:
    """Doubles whose exact sum is the values."""
    if values.dtype == np.float64 or not ((values > _WHOLE) | (values < -_WHOLE)).any():
        return [values.astype(np.float64, copy=False)]
    whole = values.astype(np.int64, copy=False)
    low = whole & np.int64((1 << BITS) - 1)
    return [low.astype(np.float64), (whole - low).astype(np.float64)]


def _add(into: State, groups: Index, x: Floats, y: Floats, count: int) -> None:
    for (in_x, by_x), (in_y, by_y) in product(_scales(x), _scales(y)):
        both = in_x & in_y
        if both.all():
            _add_scaled(into, groups, (x, y), (by_x, by_y), count)
        elif both.any():
            _add_scaled(into, groups[both], (x[both], y[both]), (by_x, by_y), count)


def _add_scaled(into: State, groups: Index, pair: tuple[Floats, Floats], by: tuple[int, int], count: int) -> None:
    x, y = (np.ldexp(v, BITS * b) if b else v for v, b in zip(pair, by, strict=True))
    for part in two_product(x, y):
        add_floats(into, groups, part, count, -sum(by))


def _scales(x: Floats) -> list[tuple[Mask, int]]:
    """Which numbers are to be scaled by how many limbs; most often all by none."""
    size = np.abs(x)
    large, small = size > 2.0**500, (size < 2.0**-450) & (size > 0.0)
    if not (large.any() or small.any()):
        return [(np.ones(len(x), np.bool_), 0)]
    return [(~(large | small), 0), (large, -_FAR), (small, _FAR)]
