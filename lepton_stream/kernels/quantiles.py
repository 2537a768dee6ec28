"""Quantiles: exact while a group has few different values, then within 1 % of the value."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from lepton_stream.columns import Index
from lepton_stream.kernels import buckets
from lepton_stream.kernels.entries import GROUP, Entries
from lepton_stream.kernels.kernel import Rows, State, present
from lepton_stream.kernels.layered import Layered

MOST_BUCKETS = 4096


@dataclass(frozen=True, slots=True)
class Ranks(Layered):
    """How often each value, or each bucket of values, occurs; nulls are left out.

    Input   float64[n] finite, or int64[n], unit u.  State   1 byte a group and 20 a different value (up to 64) or
    Result  `quantile`: a value [u], None without            bucket: 80 KiB at most, some 3 KB for a spread of 8.
            values.                                  Error   none up to 64 different values in a group; then 1/101
                                                             of the value (see `buckets`).
    Source  Masson, Rim, Lee, "DDSketch", VLDB 2019 (arXiv:1908.10693).

    4,096 buckets cover a spread of 2**82 (all positive) or of 2**41 on either side of zero; in a group that has more,
    the values nearest to zero count as zero. Which those are does not depend on the order either.
    """

    field: str
    whole: bool = False
    """Whether the field's values are integers."""
    exact_up_to: ClassVar[int] = 64

    @property
    def key(self) -> str:
        """`ranks.1(field)`."""
        return f"ranks.1({self.field})"

    def update(self, state: State, groups: Index, rows: Rows) -> None:
        """Count the values that are there."""
        where, values = present(groups, rows, self.field)
        keys = buckets.keys_of(values)
        some = state["coarse"][where]
        if some.any():  # in buckets already: fewer different keys to sort
            keys = np.where(some, buckets.coarse(keys, whole=self.whole), keys)
        counted = Entries(where.astype(GROUP), keys, np.ones(len(keys), np.int64))
        self.add(state, np.arange(len(state["coarse"])), counted)

    def coarsen(self, state: State, found: Entries) -> Entries:
        """Values to buckets."""
        low = Entries(found.group, buckets.coarse(found.key, whole=self.whole), found.weight)
        low = self._reduced(low)
        return low if len(low) <= MOST_BUCKETS else self._bounded(low, len(state["coarse"]))

    def _bounded(self, found: Entries, groups: int) -> Entries:
        """Of each group the buckets farthest from zero; the others become zero's."""
        count = found.counts(groups)
        if int(count.max()) <= MOST_BUCKETS:
            return found
        order = np.lexsort((found.key < 0, -np.abs(found.key), found.group))
        place = np.arange(len(found)) - np.repeat(np.cumsum(count) - count, count)
        far = np.zeros(len(found), np.bool_)
        far[order] = place < MOST_BUCKETS - 1  # and one for zero
        return Entries(found.group, np.where(far, found.key, 0), found.weight).sorted()


def quantiles(kernel: Ranks, state: State, q: float) -> list[Any]:
    """The value of rank ceil(q n) of each group, of rank 1 for q = 0; `state` is settled by it."""
    found, coarse = kernel.settle(state), state["coarse"]
    if not len(found):
        return [None] * len(coarse)
    upto = np.cumsum(found.weight)
    ends = np.searchsorted(found.group, np.arange(len(coarse)), "right")
    totals = np.concatenate([[0], upto])[ends]
    counts = np.diff(totals, prepend=0)
    ranks = _ranks(q, counts.tolist())
    there = counts > 0
    at = np.minimum(np.searchsorted(upto, totals - counts + ranks), len(found) - 1)  # groups without values: any
    key = found.key[at]
    exact = buckets.values_of(key, whole=kernel.whole).tolist()
    near = buckets.middle(key, whole=kernel.whole).tolist()
    listed = zip(exact, near, coarse.tolist(), there.tolist(), strict=True)
    return [(n if c else e) if t else None for e, n, c, t in listed]


def _ranks(q: float, counts: list[int]) -> Index:
    """ceil(q n) of the decimal number that was written: 0.07 of 100 is 7, though 0.07 * 100 is more as doubles."""
    share = Fraction(str(q))
    ranks = [max(1, -(-share.numerator * n // share.denominator)) for n in counts]
    return np.array(ranks, np.int64)
