"""CPU seconds by stage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable


class Stopwatch:
    """`lap(stage)` books the CPU seconds since the last lap to that stage."""

    def __init__(self, clock: Callable[[], float], stages: dict[str, float] | None = None) -> None:
        """`clock`: seconds, such as `clock.cpu_s`. `stages`: those of another watch, to be booked together."""
        self._clock = clock
        self._last = clock()
        self.stages: dict[str, float] = defaultdict(float) if stages is None else stages

    def begin(self) -> None:
        """What was until now went nowhere."""
        self._last = self._clock()

    def lap(self, stage: str) -> None:
        """The time since the last lap went into `stage`."""
        now = self._clock()
        self.stages[stage] += now - self._last
        self._last = now
