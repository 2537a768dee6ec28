"""Scores on both paths: the same bits of what is expected, of how far values lie off, and of the state after it."""

from __future__ import annotations

import random

import numpy as np
import pytest

from lepton_stream.models.drift import Drift
from lepton_stream.models.ewma import Ewma
from lepton_stream.models.robust_z import RobustZ
from lepton_stream.models.scorer import Run, Scorer
from tests.compiled.twins import both

KEYS = 40
Told = tuple[list[bytes], dict[str, bytes]]


def rows(draw: np.random.Generator, n: int, keys: int, seen: np.ndarray) -> Run:
    """n rows of some of the keys, some of which begin anew; values wander, stand still, and are wild at times."""
    row = np.sort(draw.integers(0, keys, n))
    key, start, count = np.unique(row, return_index=True, return_counts=True)
    owner = np.repeat(np.arange(len(key)), count)
    place = np.arange(n)
    began = np.maximum.accumulate(np.where(draw.random(n) < 0.01, place, -1))
    before = np.where(began >= start[owner], place - began, seen[key][owner] + place - start[owner])
    seen[key] = before[start + count - 1] + 1
    value = np.where(draw.random(n) < 0.3, 10.0, draw.normal(10, 2, n))
    value = np.where(draw.random(n) < 0.2, np.round(value), value)
    value *= np.where(draw.random(n) < 0.02, draw.choice([0.0, 5e-324, 1e140, -1.0], n), 1.0)
    return Run(key, start, count, owner, value + 0.0, before, place, before == 0)


def fed(scorer: Scorer, seed: int, keys: int, least: int) -> Told:
    """Everything that is said of rows with at least so many values before them."""
    draw = np.random.default_rng(seed)
    state, seen, told = scorer.empty(KEYS), np.zeros(KEYS, np.int64), []
    cut = random.Random(seed)
    for _ in range(12):
        run = rows(draw, cut.choice([1, 2, 7, 60, 400]), keys, seen)
        good = run.before >= least
        told += [array[good].tobytes() for array in scorer.score(state, run)]
    return told, {name: array.tobytes() for name, array in state.items()}


@pytest.mark.parametrize("keys", [1, 3, KEYS])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("scorer", "least"),
    [
        (Ewma(0.1), 1),
        (Ewma(0.5), 1),
        (RobustZ(4), 1),
        (RobustZ(5), 1),
        (RobustZ(64), 1),
        (Drift(0.2), 5),
        (Drift(0.5), 2),
    ],
)
def test_scores_and_state_are_the_same_bits_on_both_paths(scorer: Scorer, least: int, seed: int, keys: int) -> None:
    with np.errstate(all="ignore"):
        portable, compiled = both(lambda: fed(scorer, seed, keys, least))
    assert portable == compiled
