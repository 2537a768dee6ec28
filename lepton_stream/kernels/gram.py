"""The Gram matrix of many columns at once, and what is read off it: means, covariance, correlation.

Rows are centred on the means of their own block before they are multiplied, and blocks are joined by the formula of
Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979): so a mean
that is large against the spread costs no digits. The products are one BLAS call a block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_ROWS_AT_ONCE = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Gram:
    """n rows of p columns, in 8 p (p + 2) bytes: their number, `origin` [p], `ahead` [p], `spread` [p, p].

    The means are origin + ahead, kept apart because their sum would round; `spread` is the sum over rows of
    (x - mean)(x - mean)^T. Merging commutes and associates up to rounding, within 1e-12 of the largest entries; merging
    with no rows changes nothing.
    """

    rows: int
    origin: Matrix
    ahead: Matrix
    spread: Matrix

    @property
    def mean(self) -> Matrix:
        """float64[p]."""
        return self.origin + self.ahead

    def gram(self) -> Matrix:
        """x.T @ x, float64[p, p]."""
        return self.spread + self.rows * np.outer(self.mean, self.mean)

    def covariance(self, ddof: int = 1) -> Matrix:
        """float64[p, p]; NaN where there are no more than `ddof` rows."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.spread / max(self.rows - ddof, 0)

    def correlation(self) -> Matrix:
        """Pearson's, float64[p, p], 1 on the diagonal; NaN for a column that is constant."""
        size = np.sqrt(np.diag(self.spread))
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.clip(self.spread / np.outer(size, size), -1.0, 1.0)
        np.fill_diagonal(found, np.where(size > 0.0, 1.0, np.nan))
        return found


def empty(columns: int) -> Gram:
    """No rows."""
    return Gram(0, np.zeros(columns), np.zeros(columns), np.zeros((columns, columns)))


def gram(x: NDArray[np.number]) -> Gram:
    """The state of the rows of `x`, numbers[n, p]. Raises ValueError if `x` is no matrix."""
    if x.ndim != 2:
        raise ValueError(f"gram: x has {x.ndim} dimensions; expects rows and columns, as in x.reshape(-1, 1)")
    state = empty(x.shape[1])
    for block in _blocks(x):
        state = merge(state, block)
    return state


def _blocks(x: NDArray[np.number]) -> Iterator[Gram]:
    for at in range(0, len(x), _ROWS_AT_ONCE):
        own = np.asarray(x[at : at + _ROWS_AT_ONCE], np.float64)
        origin = own.mean(axis=0)
        centred = own - origin
        # the mean was rounded: what is left over is taken from the products
        ahead = centred.sum(axis=0) / len(own)
        yield Gram(len(own), origin, ahead, centred.T @ centred - len(own) * np.outer(ahead, ahead))


def merge(left: Gram, right: Gram) -> Gram:
    """Both together. Raises ValueError if they have different numbers of columns."""
    if len(left.origin) != len(right.origin):
        raise ValueError(f"gram: {len(left.origin)} and {len(right.origin)} columns; expects as many in both")
    if not left.rows or not right.rows:
        return left if left.rows else right
    rows = left.rows + right.rows
    apart = (right.origin - left.origin) + (right.ahead - left.ahead)
    between = np.outer(apart, apart) * (left.rows / rows * right.rows)
    return Gram(rows, left.origin, left.ahead + apart * (right.rows / rows), left.spread + right.spread + between)
