"""Distributions that are hard on sketches, and states fed from plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Column, Numbers, Text, text_from_strings
from lepton_stream.kernels.kernel import Kernel, Rows, State

FIELD = "v"
MANY = 20_000


def distributions(n: int = MANY) -> dict[str, NDArray[Any]]:
    """Heavy tails, negatives, constants, many zeros, integers small and large."""
    dice = np.random.default_rng(7)
    return {
        "normal": dice.normal(0, 1, n),
        "lognormal": dice.lognormal(0, 3, n),
        "cauchy": dice.standard_cauchy(n),
        "pareto": dice.pareto(0.7, n) * 1e-3,
        "negative": -dice.exponential(5, n),
        "constant": np.full(n, 0.1),
        "many zeros": np.where(dice.random(n) < 0.9, 0.0, dice.normal(0, 100, n)),
        "far from zero": 1e9 + dice.normal(0, 1, n),
        "tiny": dice.random(n) * 1e-300,
        "small integers": dice.integers(-50, 50, n),
        "large integers": dice.integers(-(2**63), 2**63 - 1, n),
        "zipf": np.minimum(dice.zipf(1.3, n), 10**12),
    }


def rows_of(values: NDArray[Any] | list[str]) -> Rows:
    """One column, `FIELD`; times and offsets count up."""
    column: Column = text_from_strings(values) if isinstance(values, list) else Numbers(values)
    assert isinstance(column, Text | Numbers)
    place = np.arange(len(column))
    return Rows({FIELD: column}, place, np.zeros(len(column), np.int64), place)


def fed(kernel: Kernel, groups: NDArray[np.int64], values: NDArray[Any] | list[str], count: int, cut: int) -> State:
    """The state of `count` groups after chunks of `cut` rows."""
    state = kernel.empty(count)
    for at in range(0, len(values), cut):
        kernel.update(state, groups[at : at + cut], rows_of(values[at : at + cut]))
    return state


def shuffled(n: int, seed: int = 1) -> NDArray[np.int64]:
    """The numbers below n in some order, always the same."""
    return np.random.default_rng(seed).permutation(n)
