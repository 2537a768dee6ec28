"""When each event of an open-loop generator is meant to be sent. Pure: time is handed in.

The schedule is fixed before the first event and never waits for anybody: an event that is sent late, because broker or
generator could not keep up, keeps its intended time, so that the delay counts (no coordinated omission).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lepton_stream.columns import Index

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Schedule:
    """`rate` events a second, evenly, for `seconds` from `start_us` (microseconds since 1970) on."""

    rate: float
    seconds: float
    start_us: int

    @property
    def total(self) -> int:
        """How many events there are."""
        return int(self.rate * self.seconds)

    @property
    def end_us(self) -> int:
        """When it is over."""
        return self.start_us + int(self.seconds * SECOND_US)

    def intended(self, numbers: Index) -> Index:
        """int64[n]: microseconds at which these events are meant to be sent."""
        return self.start_us + (numbers * (SECOND_US / self.rate)).astype(np.int64)

    def due(self, now_us: int) -> int:
        """How many events are meant to be sent by now."""
        return min(max(int((now_us - self.start_us) * self.rate / SECOND_US) + 1, 0), self.total)
