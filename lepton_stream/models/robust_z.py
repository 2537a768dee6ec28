"""Robust z: how far a value lies from the median of its key's last values, in robust deviations.

Input: values of one field, in its units. State: the last `history` values of a key, 8 bytes each. Deviation: 1.4826
times the median absolute deviation from the median, which for normal values is their standard deviation; where more
than half of the values are equal, 1.2533 times their mean absolute deviation. Up to half of the history may be outliers
without moving the median or the deviation far. Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lepton_stream.columns import Index
from lepton_stream.models.scorer import Floats, Run, State

_OF_MEDIAN = 1.4826
_OF_MEAN = 1.2533


@dataclass(frozen=True, slots=True)
class RobustZ:
    """`history`: how many of a key's last values are kept."""

    history: int

    def empty(self, keys: int) -> State:
        """The last values of each key, the newest on the right."""
        return {"values": np.zeros((keys, self.history))}

    def score(self, state: State, run: Run) -> tuple[Floats, Floats]:
        """All rows at once: each has its own view of what its key saw before."""
        width = run.count + self.history
        begin = np.cumsum(width) - width
        place = np.arange(self.history)
        line = np.empty(int(width.sum()))
        line[begin[:, None] + place] = state["values"][run.key]
        at = begin[run.owner] + run.position
        line[at + self.history] = run.value
        views = np.lib.stride_tricks.sliding_window_view(line, self.history)
        state["values"][run.key] = views[begin + run.count]
        known = np.minimum(run.before, self.history)
        return _centre_and_spread(views[at], known, place)

    def told(self, before: int) -> str:
        """For an explanation."""
        return f"the median of the last {min(before, self.history)} values"


def _centre_and_spread(seen: Floats, known: Index, place: Index) -> tuple[Floats, Floats]:
    """`seen` float64[n, history]; of row i the last `known[i]` count."""
    seen[place < len(place) - known[:, None]] = np.nan  # sorts behind all numbers
    seen.sort(axis=1)
    centre = _median(seen, known)
    off = np.abs(seen - centre[:, None])
    off.sort(axis=1)
    spread = _OF_MEDIAN * _median(off, known)
    flat = np.flatnonzero((spread == 0) & (known > 0))
    if len(flat):
        spread[flat] = _OF_MEAN * _mean(off[flat], known[flat])
    return centre, spread


def _median(ordered: Floats, known: Index) -> Floats:
    """float64[n]: of the first `known[i]` numbers of each row, which are in ascending order."""
    rows, known = np.arange(len(known)), np.maximum(known, 1)
    return ordered[rows, (known - 1) // 2] / 2 + ordered[rows, known // 2] / 2


def _mean(ordered: Floats, known: Index) -> Floats:
    """float64[n], added column by column: the order of a sum must not hang on how many rows there are."""
    total = np.zeros(len(known))
    for column in range(ordered.shape[1]):
        total += np.where(column < known, ordered[:, column], 0.0)
    return total / known
