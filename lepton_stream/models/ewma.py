"""EWMA: how far a value lies from the exponentially weighted mean of its key, in exponentially weighted deviations.

Input: values of one field, in its units. State: mean and variance of a key, 16 bytes. After a value x with residual
r = x - mean: mean += weight * r, variance = (1 - weight) * (variance + weight * r * r); the first value is the mean.
From the eleventh value on r counts as four deviations at most, so that one outlier does not hide the next; a level that
has moved for good is learnt all the same. Source: Finch, Incremental calculation of weighted mean and variance, 2009.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lepton_stream.columns import Index
from lepton_stream.models.scorer import Floats, Run, State

_FREE = 10
_MOST = 4.0


@dataclass(frozen=True, slots=True)
class Ewma:
    """`weight`: of the newest value; about 2 / weight values are remembered."""

    weight: float

    def empty(self, keys: int) -> State:
        """Mean and variance of each key."""
        return {"mean": np.zeros(keys), "variance": np.zeros(keys)}

    def score(self, state: State, run: Run) -> tuple[Floats, Floats]:
        """Round by round: the k-th rows of all keys together."""
        mean, variance = state["mean"][run.key], state["variance"][run.key]
        expected, deviation = np.empty(len(run.value)), np.empty(len(run.value))
        for rows in _rounds(run):
            key, x = run.owner[rows], run.value[rows]
            was, spread = mean[key], variance[key]
            expected[rows], deviation[rows] = was, np.sqrt(spread)
            before, most = run.before[rows], _MOST * deviation[rows]
            bounded = (before >= _FREE) & (spread > 0)
            residual = np.where(bounded, np.clip(x - was, -most, most), x - was)
            moved = (1 - self.weight) * (spread + self.weight * (residual * residual))
            mean[key] = np.where(before == 0, x, was + self.weight * residual)
            variance[key] = np.where(before == 0, 0.0, moved)
        state["mean"][run.key], state["variance"][run.key] = mean, variance
        return expected, deviation

    def told(self, before: int) -> str:
        """For an explanation."""
        return f"the weighted mean of the {before} values before it"


def _rounds(run: Run) -> Iterator[Index]:
    """The first rows of all keys, then the second ones, and so on."""
    position = run.position
    order = np.argsort(position, kind="stable")
    ends = np.cumsum(np.bincount(position))
    yield from np.split(order, ends[:-1])
