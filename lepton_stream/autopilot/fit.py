"""Costs fitted online: a sum of features times coefficients that drift, known beforehand to within a factor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

OWN, COMMON = 0.45, 0.6
"""How far off a prior may be, as a share of it: each coefficient by itself, and all of them alike (the machine)."""
NOISE = 0.1
"""Of one observation, as a share of it."""
DRIFT_OWN, DRIFT_COMMON = 0.006, 0.02
"""What the coefficients may move by from one observation to the next, as a share of the prior."""
LEAST, MOST = 0.05, 20.0
"""Between these multiples of its prior a coefficient stays."""
ODD_SD, ODD_TIMES = 2.5, 3
"""Observations in a row that lie so far off on one side mean that the machine has changed, not the noise."""


class Fit:
    """y ~ x . coefficients, by a Kalman filter over multiples of the priors, with observations weighed by their size.

    What is not observed keeps what is known of it, moves only with what all have in common, and slowly becomes less
    certain. An outlier counts as three deviations at most.
    """

    def __init__(self, prior: Vector) -> None:
        self.prior = prior
        k = len(prior)
        self.multiple: Vector = np.ones(k)
        self._start: Vector = OWN**2 * np.eye(k) + COMMON**2
        self._cov = self._start.copy()
        self._odd = 0

    @property
    def coefficients(self) -> Vector:
        """In the units of the priors."""
        return self.prior * self.multiple

    def cost(self, x: Vector) -> float:
        """What x should come to."""
        return float(x @ self.coefficients)

    def spread(self, x: Vector) -> float:
        """A standard deviation of `cost(x)`; x may be a difference of two."""
        z = x * self.prior
        return float(np.sqrt(np.abs(z @ self._cov @ z)))

    def add(self, x: Vector, y: float) -> None:
        """An observation, features and what they cost together; one without either says nothing."""
        expected = self.cost(x)
        size = (max(y, 0.0) + expected) / 2.0
        if size <= 0.0 or y <= 0.0 or not np.isfinite(size):
            return
        z = x * self.prior / size
        self._let_drift()
        off = y / size - float(z @ self.multiple)
        heard = self._cov @ z
        total = float(z @ heard) + NOISE**2
        self._note_odd(off / np.sqrt(total))
        off = float(np.clip(off, -3.0 * np.sqrt(total), 3.0 * np.sqrt(total)))
        self.multiple = np.clip(self.multiple + heard * (off / total), LEAST, MOST)
        cov = self._cov - np.outer(heard, heard) / total
        self._cov = (cov + cov.T) / 2.0

    def _let_drift(self) -> None:
        room = np.clip(1.0 - np.diag(self._cov) / np.diag(self._start), 0.0, 1.0)
        step = np.sqrt(room)
        self._cov = self._cov + DRIFT_COMMON**2 * np.outer(step, step) + np.diag(DRIFT_OWN**2 * room)

    def _note_odd(self, deviations: float) -> None:
        if abs(deviations) < ODD_SD:
            self._odd = 0
            return
        same_side = self._odd == 0 or (self._odd > 0) == (deviations > 0)
        self._odd = (self._odd if same_side else 0) + (1 if deviations > 0 else -1)
        if abs(self._odd) >= ODD_TIMES:
            self._odd, self._cov = 0, self._cov + self._start / 4.0
