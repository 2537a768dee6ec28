"""Costs fitted online: what is seen is learnt, what is not seen stays, outliers and new machines are told apart."""

from __future__ import annotations

import numpy as np
import pytest

from lepton_stream.autopilot.fit import Fit

PRIOR = np.array([2e-7, 5e-7, 3e-4])
TRUE = PRIOR * np.array([1.8, 0.6, 1.3])


def seen(fit: Fit, times: int, truth: np.ndarray = TRUE, *, noise: float = 0.08, seed: int = 1) -> None:
    """Looks of rows, cells and flushes that differ from one to the next."""
    dice = np.random.default_rng(seed)
    for _ in range(times):
        x = np.array([dice.uniform(5e3, 2e4), dice.uniform(1e2, 1.5e4), dice.integers(2, 20)])
        fit.add(x, float(x @ truth * np.exp(dice.normal(0.0, noise))))


def test_coefficients_are_learnt_from_noisy_sums() -> None:
    fit = Fit(PRIOR)
    seen(fit, 60)
    assert fit.coefficients == pytest.approx(TRUE, rel=0.15)


def test_before_anything_was_seen_the_prior_holds_within_its_doubt() -> None:
    fit = Fit(PRIOR)
    x = np.array([1e4, 1e3, 10.0])
    assert fit.cost(x) == pytest.approx(float(x @ PRIOR))
    assert 0.5 * fit.cost(x) < fit.spread(x) < fit.cost(x)


def test_what_was_never_seen_keeps_its_prior_but_for_the_machine_and_stays_doubtful() -> None:
    fit = Fit(PRIOR)
    for _ in range(200):
        fit.add(np.array([1e4, 0.0, 0.0]), 2 * 1e4 * PRIOR[0])
    assert fit.coefficients[0] == pytest.approx(2 * PRIOR[0], rel=0.02)
    assert 1.2 < fit.coefficients[1] / PRIOR[1] < 2.0
    one, other = np.array([1e4, 0.0, 0.0]), np.array([0.0, 1e4, 0.0])
    assert fit.spread(other) / fit.cost(other) > 5 * fit.spread(one) / fit.cost(one)


def test_one_outlier_moves_little() -> None:
    fit = Fit(PRIOR)
    seen(fit, 60)
    x = np.array([1e4, 1e3, 10.0])
    before = fit.cost(x)
    fit.add(x, 50 * before)
    assert fit.cost(x) == pytest.approx(before, rel=0.15)


def test_a_machine_of_half_the_speed_is_known_after_a_few_looks() -> None:
    fit = Fit(PRIOR)
    seen(fit, 60)
    seen(fit, 12, 2 * TRUE, seed=2)
    x = np.array([1e4, 5e3, 10.0])
    assert fit.cost(x) == pytest.approx(2 * float(x @ TRUE), rel=0.15)


@pytest.mark.parametrize("y", [0.0, -1.0, float("inf"), float("nan")])
def test_an_observation_that_makes_no_sense_is_left_out(y: float) -> None:
    fit = Fit(PRIOR)
    fit.add(np.array([1e4, 1e3, 10.0]), y)
    assert fit.coefficients.tolist() == PRIOR.tolist()
    fit.add(np.zeros(3), 1.0)
    assert np.isfinite(fit.coefficients).all()
