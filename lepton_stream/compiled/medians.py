"""Median and robust deviation of a key's last values in machine code: they stay sorted from one row to the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Index
from lepton_stream.compiled.jit import inlined, jit_for
from lepton_stream.compiled.recurrences import OF_MEAN, OF_MEDIAN
from lepton_stream.compiled.signatures import FLOATS, FLOATS_OUT, INDEX, LINES_OUT, NOTHING

Floats = NDArray[np.float64]


@inlined
def _put(ordered: Floats, known: int, x: float) -> None:
    """`x` joins `known` numbers in ascending order."""
    at = known
    while at > 0 and ordered[at - 1] > x:
        ordered[at] = ordered[at - 1]
        at -= 1
    ordered[at] = x


@inlined
def _exchange(ordered: Floats, known: int, old: float, new: float) -> None:
    """`new` in place of `old`, which is one of them."""
    at = 0
    while ordered[at] != old:
        at += 1
    while at + 1 < known and ordered[at + 1] < new:
        ordered[at] = ordered[at + 1]
        at += 1
    while at > 0 and ordered[at - 1] > new:
        ordered[at] = ordered[at - 1]
        at -= 1
    ordered[at] = new


@inlined
def _off(ordered: Floats, known: int, centre: float, off: Floats, most: int) -> None:
    """The `most` smallest distances from the centre, in ascending order: from there outwards on both sides."""
    right = 0
    while right < known and ordered[right] <= centre:
        right += 1
    left = right - 1
    for place in range(most):
        if right == known or (left >= 0 and centre - ordered[left] <= ordered[right] - centre):
            off[place] = centre - ordered[left]
            left -= 1
        else:
            off[place] = ordered[right] - centre
            right += 1


@inlined
def _usual(ordered: Floats, known: int, off: Floats) -> tuple[float, float]:
    """(median, deviation) of so many numbers in ascending order; NaN of none."""
    if known == 0:
        return np.nan, np.nan
    low, high = (known - 1) // 2, known // 2
    centre = ordered[low] / 2 + ordered[high] / 2
    _off(ordered, known, centre, off, high + 1)
    spread = OF_MEDIAN * (off[low] / 2 + off[high] / 2)
    if spread == 0.0:
        _off(ordered, known, centre, off, known)
        total = 0.0
        for place in range(known):
            total += off[place]
        spread = OF_MEAN * (total / known)
    return centre, spread


@inlined
def _take(kept: Floats, known: int, ordered: Floats) -> None:
    """The last `known` of a key's values, in ascending order."""
    for place in range(known):
        _put(ordered, place, kept[len(kept) - known + place])


@inlined
def _keep(kept: Floats, new: Floats) -> None:
    """The new values come in on the right."""
    history, n = len(kept), min(len(new), len(kept))
    for place in range(history - n):
        kept[place] = kept[place + n]
    for place in range(n):
        kept[history - n + place] = new[len(new) - n + place]


@jit_for(NOTHING(INDEX, INDEX, INDEX, FLOATS, INDEX, LINES_OUT, FLOATS_OUT, FLOATS_OUT))
def robust_z(
    key: Index, start: Index, count: Index, value: Floats, before: Index,
    values: Floats, expected: Floats, deviation: Floats,
) -> None:  # fmt: skip
    """`RobustZ.score`. `values` float64[keys, history]: the last values of each key, the newest on the right."""
    history = values.shape[1]
    ordered, off = np.empty(history), np.empty(history)
    for k in range(len(key)):
        begin, end = start[k], start[k] + count[k]
        kept = values[key[k]]
        _take(kept, min(before[begin], history), ordered)
        for i in range(begin, end):
            known = min(before[i], history)
            expected[i], deviation[i] = _usual(ordered, known, off)
            if known < history:
                _put(ordered, known, value[i])
            else:
                back = i - history
                _exchange(ordered, known, value[back] if back >= begin else kept[i - begin], value[i])
        _keep(kept, value[begin:end])


@jit_for(NOTHING(INDEX, INDEX, LINES_OUT, FLOATS_OUT, FLOATS_OUT))
def usual(key: Index, known: Index, values: Floats, centre: Floats, spread: Floats) -> None:
    """`RobustZ.usual`."""
    ordered, off = np.empty(values.shape[1]), np.empty(values.shape[1])
    for k in range(len(key)):
        _take(values[key[k]], known[k], ordered)
        centre[k], spread[k] = _usual(ordered, known[k], off)
