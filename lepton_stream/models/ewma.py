"""EWMA: how far a value lies from the exponentially weighted mean of its key, in exponentially weighted deviations.

Input: values of one field, in its units. State: mean and variance of a key, 16 bytes. After a value x with residual
r = x - mean: mean += weight * r, variance = (1 - weight) * (variance + weight * r * r); the first value is the mean.
From the eleventh value on r counts as four deviations at most, so that one outlier does not hide the next; a level that
has moved for good is learnt all the same. Source: Finch, Incremental calculation of weighted mean and variance, 2009.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lepton_stream.models.in_turn import in_turn
from lepton_stream.models.scorer import Found, Run, State

_FREE = 10


@dataclass(frozen=True, slots=True)
class Ewma:
    """`weight`: of the newest value; about 2 / weight values are remembered."""

    weight: float

    subject = ""

    def empty(self, keys: int) -> State:
        """Mean and variance of each key."""
        return {"mean": np.zeros(keys), "variance": np.zeros(keys)}

    def score(self, state: State, run: Run) -> Found:
        """Row by row of each key."""
        moved = {name: state[name][run.key] for name in ("mean", "variance")}
        expected, deviation = np.empty(len(run.value)), np.empty(len(run.value))
        in_turn("ewma", run, (self.weight, _FREE), tuple(moved.values()), (expected, deviation))
        for name, array in moved.items():
            state[name][run.key] = array
        return Found(run.value, expected, deviation)

    def told(self, before: int) -> str:
        """For an explanation."""
        return f"the weighted mean of the {before} values before it"
