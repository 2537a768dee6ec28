"""CPU seconds by stage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable


class Stopwatch:
    """`lap(stage)` books the CPU seconds since the last lap to that stage."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: seconds, such as `clock.cpu_s`."""
        self._clock = clock
        self._last = clock()
        self.stages: dict[str, float] = defaultdict(float)

    def lap(self, stage: str) -> None:
        """The time since the last lap went into `stage`."""
        now = self._clock()
        self.stages[stage] += now - self._last
        self._last = now
