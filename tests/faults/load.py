"""Records whose truth is known: keys by Zipf, duplicates, broken ones, disorder, and some later than the lateness."""

from __future__ import annotations

import itertools
from bisect import bisect
from collections.abc import Iterator

from tests.data.planted import DEVICES, Event, Generator, Planted

EXPONENT = 1.1
STEP_MS = 10
_WEIGHTS = list(itertools.accumulate((n + 1) ** -EXPONENT for n in range(DEVICES)))


class ZipfGenerator(Generator):
    """The planted trouble, on keys of which the first has a sixth of all records and the last next to none."""

    def __init__(self, seed: int, broken: float = 0.0) -> None:
        """`broken`: this share of records is spoiled besides those that always are."""
        super().__init__(seed, STEP_MS)
        self._more = broken

    def event(self, seq: int, back_ms: int) -> Event:
        """As planted, for a device by Zipf."""
        rank = bisect(_WEIGHTS, self.random.random() * _WEIGHTS[-1])
        return super().event(seq, back_ms) | {"device": f"dev-{min(rank, DEVICES - 1)}"}

    def next(self, seq: int) -> Planted:
        """Spoiled more often, if so asked."""
        if self._more and self.random.random() < self._more:
            record = self.spoiled(seq)
            self.recent.append(record)
            return record
        return super().next(seq)


def load(seed: int, broken: float = 0.0) -> Iterator[Planted]:
    """Records without end; equal seeds give equal bytes."""
    generator = ZipfGenerator(seed, broken)
    return map(generator.next, itertools.count())
