"""Recurrences over the rows of a key: what is said of a row hangs on the row before, so they go one by one.

Plain functions, written once for both paths: `scores` compiles them as they stand, the portable path calls them with
lists. So both do the same operations in the same order and give the same bits. No Numba here.

`start`, `count` [m]: where the rows of each key are; of rows, [n]: `value`, and `before`, how many values the key saw
since it began anew. State [m] and what is found [n] are written in place.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

Given: TypeAlias = Any
"""Arrays in compiled code, lists in Python."""
OF_MEDIAN, OF_MEAN = 1.4826, 1.2533
"""What makes the median, and the mean, of absolute distances the standard deviation of normal values (`robust_z`)."""
MOST = 4.0
"""Deviations that a residual of `ewma` counts as at most: one outlier must not hide the next."""
BOUND = 2.0
"""The same of a single value where it moves a `level`: a peak is no drift."""


def ewma(
    start: Given, count: Given, value: Given, before: Given, weight: float, free: int,
    mean: Given, variance: Given, expected: Given, deviation: Given,
) -> None:  # fmt: skip
    """`models.ewma`. `free`: so many residuals are not bounded."""
    for k in range(len(start)):
        centre, spread = mean[k], variance[k]
        for i in range(start[k], start[k] + count[k]):
            usual = math.sqrt(spread)
            expected[i], deviation[i] = centre, usual
            if before[i] == 0:
                centre, spread = value[i], 0.0
                continue
            residual = value[i] - centre
            if before[i] >= free and spread > 0.0:
                most = MOST * usual
                if residual > most:
                    residual = most
                elif residual < -most:
                    residual = -most
            centre += weight * residual
            spread = (1.0 - weight) * (spread + weight * (residual * residual))
        mean[k], variance[k] = centre, spread


def level(
    start: Given, count: Given, value: Given, before: Given, weight: float, slow: float, free: int,
    centre: Given, variance: Given, found: Given,
) -> None:  # fmt: skip
    """The level of `models.drift`, with each row in it. `slow`: the weight of its variance; `free`: as for `ewma`."""
    for k in range(len(start)):
        now, spread = centre[k], variance[k]
        for i in range(start[k], start[k] + count[k]):
            if before[i] == 0:
                now, spread = value[i], 0.0
            residual = value[i] - now
            if before[i] >= free and spread > 0.0:
                most = BOUND * math.sqrt(spread)
                if residual > most:
                    residual = most
                elif residual < -most:
                    residual = -most
            share = 1.0 / (before[i] + 1.0)
            now += max(weight, share) * residual
            spread += max(slow, share) * (residual * residual - spread)
            found[i] = now
        centre[k], variance[k] = now, spread
