"""What each partition takes of a worker's loop, and how much of a core the loop gets: running means over some seconds.

The load of a partition is what its log asks for, not what the worker got through: CPU seconds a record, times the
records that are written each second and the share of the backlog that should be gone within a minute. So a worker that
is too slow shows a use above 1, and not a full core.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from lepton_stream.chunk import SourcePartition

MEAN_S = 10.0
"""Over about so many seconds."""
DRAIN_S = 60.0
"""Within which a backlog should be gone."""
ENOUGH_S = 0.05
"""Of steps within the mean, for telling a capacity from them."""
SEEN_S = 5.0
"""For so long a log must have been looked at before its load is told: the first seconds hold what waited before."""
FORGET_S = 300.0
"""After so long without enough work a capacity is not known any more: who was slow may have become fast."""


@dataclass(slots=True)
class _Log:
    """Of one partition, decaying: CPU seconds of its steps, offsets that they did, offsets written, over seconds."""

    cpu_s: float = 0.0
    done: float = 0.0
    written: float = 0.0
    seconds: float = 0.0
    end: int | None = None
    behind: int = 0

    @property
    def wanted(self) -> float:
        """Offsets each second that should be done."""
        arriving = self.written / self.seconds if self.seconds > 0 else 0.0
        return arriving + self.behind / DRAIN_S


@dataclass(slots=True)
class Measured:
    """`step` whenever a partition's work ran without a break; `tick` about once a second. Time is handed in."""

    _logs: dict[SourcePartition, _Log] = field(default_factory=dict)
    _steps_cpu: float = 0.0
    _steps_wall: float = 0.0
    _loop_cpu: float = 0.0
    _last: tuple[float, float] | None = None
    _capacity: float | None = None
    _capacity_at: float = 0.0

    def step(self, tp: SourcePartition, cpu_s: float, wall_s: float, done: int) -> None:
        """A step without an await: what it took of the loop's thread and on the clock; `done`: offsets."""
        log = self._logs.setdefault(tp, _Log())
        log.cpu_s += cpu_s
        log.done += done
        self._steps_cpu += cpu_s
        self._steps_wall += max(wall_s, cpu_s)

    def tick(
        self,
        now_s: float,
        loop_cpu_s: float,
        ends: Mapping[SourcePartition, int],
        behind: Mapping[SourcePartition, int],
    ) -> None:
        """`loop_cpu_s`: of the loop's thread so far. `ends`, `behind`: where logs end, and what waits in them."""
        if self._last is not None:
            seconds, cpu_s = now_s - self._last[0], loop_cpu_s - self._last[1]
            self._loop_cpu += cpu_s
            for tp, end in ends.items():
                log = self._logs.setdefault(tp, _Log())
                if log.end is not None:
                    log.written += max(0, end - log.end)
                    log.seconds += seconds
                log.end, log.behind = end, behind.get(tp, 0)
            self._fade(math.exp(-seconds / MEAN_S))
        self._last = now_s, loop_cpu_s
        if self._steps_wall >= ENOUGH_S:
            self._capacity, self._capacity_at = self._steps_cpu / self._steps_wall, now_s
        elif now_s - self._capacity_at > FORGET_S:
            self._capacity = None

    def _fade(self, kept: float) -> None:
        self._steps_cpu, self._steps_wall, self._loop_cpu = (
            kept * value for value in (self._steps_cpu, self._steps_wall, self._loop_cpu)
        )
        for log in self._logs.values():
            log.written, log.seconds = kept * log.written, kept * log.seconds
            if log.done > 1:  # what a record takes is remembered where nothing comes
                log.cpu_s, log.done = kept * log.cpu_s, kept * log.done

    @property
    def capacity(self) -> float | None:
        """Cores that the loop gets while it works, at most 1; None before it has worked, and long after."""
        return self._capacity

    @property
    def _around(self) -> float:
        """What the loop does in all, for each CPU second of steps."""
        return max(1.0, self._loop_cpu / self._steps_cpu) if self._steps_cpu >= ENOUGH_S else 1.0

    def load(self, tp: SourcePartition) -> float | None:
        """Cores that the partition asks for; None before any of it was done, and in the first seconds."""
        log = self._logs.get(tp)
        if log is None or log.done <= 0 or log.seconds < SEEN_S:
            return None
        return log.cpu_s / log.done * log.wanted * self._around

    def use(self, own: Collection[SourcePartition]) -> float:
        """Load of these partitions over capacity."""
        return math.fsum(self.load(tp) or 0.0 for tp in own) / (self._capacity or 1.0)

    def late_s(self, tp: SourcePartition) -> float:
        """Seconds of writing that wait in a log; infinite where something waits and nothing comes."""
        log = self._logs.get(tp, _Log())
        if not log.behind:
            return 0.0
        return log.behind * log.seconds / log.written if log.written > 0 else math.inf
