"""Drift: how far the level of a key, a weighted mean of its last values, lies from where its level used to be.

Input: values of one field, in its units. State: level and variance of values about it, the last 64 levels, their median
and deviation: 544 bytes a key. A value moves the level by `weight` of its distance from it; a distance counts as two
deviations at most, so that a peak is no drift; their variance is forgotten four times as slowly as the level. Every
1 / `weight` values the level is kept. A level is scored by median and median absolute deviation of the 64 kept before
it, as `robust_z` scores values. So its deviation is that of levels, measured and not derived from single values (which
in most sensors hang together), and a drift does not hide itself before it fills half of the memory. Until the level's
memory is full each value counts as much as any other.
Source: Roberts, Control chart tests based on geometric moving averages, Technometrics 1(3), 1959 (the level); Gelper,
Fried and Croux, Robust forecasting with exponential and Holt-Winters smoothing, Journal of Forecasting 29, 2010 (the
bound); Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993 (the score).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lepton_stream.columns import Index
from lepton_stream.models.in_turn import in_turn
from lepton_stream.models.robust_z import RobustZ
from lepton_stream.models.scorer import Floats, Found, Run, State

LEVELS = 64
"""So many are kept."""
_FREE = 10
_SLOWER = 4
"""So many times longer than that of the level is the memory of the variance of values."""


@dataclass(frozen=True, slots=True)
class Drift:
    """`weight`: of the newest value in the level, which remembers about 2 / weight values."""

    weight: float

    subject = "the level of "

    @property
    def apart(self) -> int:
        """Values from one level that is kept to the next."""
        return round(1 / self.weight)

    def empty(self, keys: int) -> State:
        """Level and variance; the last levels, the newest on the right, and what they say."""
        return RobustZ(LEVELS).empty(keys) | {
            name: np.zeros(keys) for name in ("level", "variance", "centre", "spread")
        }

    def score(self, state: State, run: Run) -> Found:
        """What is scored is the level."""
        level = self._levels(state, run)
        kept = (run.before + 1) % self.apart == 0
        centre, spread, first = self._usual(state, run, level, np.flatnonzero(kept))
        passed = np.cumsum(kept) - kept
        of = first[run.owner] + passed - passed[run.start][run.owner]
        return Found(level, centre[of], spread[of])

    def _levels(self, state: State, run: Run) -> Floats:
        """float64[n]: the level with each row in it."""
        moved, found = [state[name][run.key] for name in ("level", "variance")], np.empty(len(run.value))
        in_turn("level", run, (self.weight, self.weight / _SLOWER, _FREE), moved, (found,))
        state["level"][run.key], state["variance"][run.key] = moved
        return found

    def _usual(self, state: State, run: Run, level: Floats, rows: Index) -> tuple[Floats, Floats, Index]:
        """Median and deviation of the levels kept before each of these rows, whose levels are kept too, and at last.

        float64[m + rows] each, key after key; and int64[m]: where those of each key begin.
        """
        if not len(rows):
            return state["centre"][run.key], state["spread"][run.key], np.arange(len(run.key))
        robust = RobustZ(LEVELS)
        owner, start, count = np.unique(run.owner[rows], return_index=True, return_counts=True)
        key, last = run.key[owner], run.start[owner] + run.count[owner] - 1
        of = np.repeat(np.arange(len(key)), count)
        before = run.before[rows] // self.apart
        inner = Run(key, start, count, of, level[rows], before, run.time[rows], before == 0)
        told = robust.score(state, inner)
        state["centre"][key], state["spread"][key] = robust.usual(state, key, (run.before[last] + 1) // self.apart)
        ends = np.cumsum(np.bincount(run.owner[rows], minlength=len(run.key)) + 1) - 1
        centre, spread = np.empty((2, len(run.key) + len(rows)))
        centre[ends], spread[ends] = state["centre"][run.key], state["spread"][run.key]
        among = np.ones(len(centre), np.bool_)
        among[ends] = False
        centre[among], spread[among] = told.expected, told.deviation
        return centre, spread, np.concatenate([[0], ends[:-1] + 1])

    def told(self, before: int) -> str:
        """For an explanation."""
        return f"the median of the {min(before // self.apart, LEVELS)} levels before it, {self.apart} values apart"
