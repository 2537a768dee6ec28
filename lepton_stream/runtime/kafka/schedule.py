"""When a record of a feed is due: as fast as it goes, so many a second, or at its own pace. Pure: time is handed in."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from lepton_stream.columns import Index
from lepton_stream.windows.watermark import NEVER

SECOND_US = 1_000_000
LEAST_WAIT_S = 0.02
"""Records due within it go together: a batch a record would be slow."""
MOST_WAIT_S = 3600.0


class Schedule(Protocol):
    """Decides from how many were sent, the seconds since the start, and the event times of what waits, in order."""

    def due(self, sent: int, elapsed_s: float, time: Index) -> int:
        """How many of the waiting records may go now."""
        ...

    def wait_s(self, sent: int, elapsed_s: float, time: Index) -> float:
        """Seconds until the next one is due. Asked when none is."""
        ...


class AtOnce:
    """As fast as it goes."""

    def due(self, sent: int, elapsed_s: float, time: Index) -> int:
        """All of them."""
        return len(time)

    def wait_s(self, sent: int, elapsed_s: float, time: Index) -> float:
        """Nothing ever waits."""
        return 0.0


class Rate:
    """So many records a second, evenly; what a slow broker delayed is made up for."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second

    def due(self, sent: int, elapsed_s: float, time: Index) -> int:
        """Record n is due n / rate seconds after the start."""
        return min(max(int(elapsed_s * self._per_second) + 1 - sent, 0), len(time))

    def wait_s(self, sent: int, elapsed_s: float, time: Index) -> float:
        """Until the next record."""
        return clamped(sent / self._per_second - elapsed_s)


class Pace:
    """Event time at so many times its own speed: the gaps between records are those of their event times."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._first: int | None = None

    def due(self, sent: int, elapsed_s: float, time: Index) -> int:
        """Those whose event time has come, counted from the first one; a record without a time goes along."""
        if self._first is None:
            known = time[time > NEVER]
            if not len(known):
                return len(time)
            self._first = int(known[0])
        return int(np.searchsorted(time, self._first + int(elapsed_s * self._speed * SECOND_US), side="right"))

    def wait_s(self, sent: int, elapsed_s: float, time: Index) -> float:
        """Until the next event time."""
        ahead = (int(time[0]) - (self._first or 0)) / SECOND_US
        return clamped(ahead / self._speed - elapsed_s)


def clamped(seconds: float) -> float:
    """Neither so short that every record goes alone, nor beyond what a timer takes."""
    return min(max(seconds, LEAST_WAIT_S), MOST_WAIT_S)
