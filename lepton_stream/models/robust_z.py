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
from lepton_stream.compiled import switch
from lepton_stream.compiled.recurrences import OF_MEAN, OF_MEDIAN
from lepton_stream.models.scorer import Floats, Found, Run, State


@dataclass(frozen=True, slots=True)
class RobustZ:
    """`history`: how many of a key's last values are kept."""

    history: int

    subject = ""

    def empty(self, keys: int) -> State:
        """The last values of each key, the newest on the right."""
        return {"values": np.zeros((keys, self.history))}

    def score(self, state: State, run: Run) -> Found:
        """All rows at once, each with a view of its own of what its key saw before; compiled, one by one."""
        functions = switch.current()
        if functions is None:
            return Found(run.value, *self._viewed(state, run))
        expected, deviation = np.empty(len(run.value)), np.empty(len(run.value))
        given = (run.key, run.start, run.count, run.value, run.before)
        functions.robust_z(*given, state["values"], expected, deviation)
        return Found(run.value, expected, deviation)

    def _viewed(self, state: State, run: Run) -> tuple[Floats, Floats]:
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

    def usual(self, state: State, key: Index, known: Index) -> tuple[Floats, Floats]:
        """(median, deviation) of the last `known` values of these keys, int64[m] each; `history` of them at most."""
        known = np.minimum(known, self.history)
        functions = switch.current()
        if functions is None:
            return _centre_and_spread(state["values"][key], known, np.arange(self.history))
        centre, spread = np.empty(len(key)), np.empty(len(key))
        functions.usual(key, known, state["values"], centre, spread)
        return centre, spread

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
    spread = OF_MEDIAN * _median(off, known)
    flat = np.flatnonzero((spread == 0) & (known > 0))
    if len(flat):
        spread[flat] = OF_MEAN * _mean(off[flat], known[flat])
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
