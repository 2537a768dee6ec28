"""The Gram matrix of many columns against NumPy, also where the mean is large against the spread."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lepton_stream.kernels import gram
from lepton_stream.kernels.gram import Gram, Matrix


def sample(n: int, p: int) -> Matrix:
    dice = np.random.default_rng(11)
    return dice.normal(0, 1, (n, p)) @ dice.normal(0, 1, (p, p)) + dice.normal(0, 3, p)


def near(found: Matrix, wanted: Any) -> bool:
    return bool(np.abs(found - wanted).max() <= 1e-9 * np.abs(wanted).max())


def assert_that_of_numpy(state: Gram, x: Matrix) -> None:
    assert state.rows == len(x)
    assert near(state.gram(), x.T @ x)
    assert near(state.covariance(), np.cov(x, rowvar=False))
    assert near(state.correlation(), np.corrcoef(x, rowvar=False))


def test_a_hundred_columns_of_a_hundred_thousand_rows_are_those_of_numpy() -> None:
    x = sample(100_000, 100)
    assert_that_of_numpy(gram.gram(x), x)


@pytest.mark.parametrize("cuts", [[1], [100, 101, 9_000], [0, 0, 20_000]])
def test_parts_merged_are_the_whole(cuts: list[int]) -> None:
    x = sample(20_000, 5)
    state = gram.empty(5)
    for part in reversed(np.split(x, cuts)):
        state = gram.merge(gram.gram(part), state)
    assert_that_of_numpy(state, x)


def test_a_mean_a_billion_times_the_spread_costs_no_digits_of_the_spread() -> None:
    x = sample(50_000, 3)
    apart = gram.gram(np.round(x, 6) + 2.0**40).covariance()
    exact = np.cov((np.round(x, 6) + 2.0**40) - 2.0**40, rowvar=False)  # the difference is exact
    assert near(apart, exact)


def test_merging_with_no_rows_changes_nothing_bit_for_bit() -> None:
    state = gram.gram(sample(100, 4))
    for merged in (gram.merge(state, gram.empty(4)), gram.merge(gram.empty(4), state)):
        assert merged.rows == state.rows
        assert merged.mean.tolist() == state.mean.tolist()
        assert merged.spread.tolist() == state.spread.tolist()


def test_integers_are_taken_and_other_shapes_refused() -> None:
    x = np.arange(12).reshape(6, 2)
    assert near(gram.gram(x).gram(), (x.T @ x).astype(float))
    with pytest.raises(ValueError, match="1 dimensions"):
        gram.gram(np.arange(3))
    with pytest.raises(ValueError, match="4 and 2 columns"):
        gram.merge(gram.empty(4), gram.empty(2))


def test_too_few_rows_and_constant_columns_give_nan() -> None:
    one = gram.gram(np.array([[1.0, 2.0]]))
    assert np.isnan(one.covariance()).all()
    assert np.isnan(gram.gram(np.array([[1.0, 2.0], [1.0, 3.0]])).correlation()).tolist() == [
        [True, True],
        [True, False],
    ]
