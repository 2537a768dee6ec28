"""When a window may close next, by the clock: until then no final result waits for the records that come."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lepton_stream.pipeline.plan import Plan, Window
from lepton_stream.windows.watermark import NEVER

CREEP = 0.002
"""By so much of the time that passes a source may have become slower, whose records came sooner before."""
AFTER_S = 0.01
"""Rather a little late than early: who comes too early has to come again."""

LATE_S = 0.1
"""A source that keeps a close waiting for longer has become slower or silent."""


def closes_after(window: Window, high_us: int) -> int:
    """The first event time beyond `high_us` that lets a window close, in µs."""
    first = window.offset_us + window.size_us + window.lateness_us
    return high_us + window.step_us - (high_us - first) % window.step_us


def waits_for_closes_alone(plan: Plan) -> bool:
    """Whether all that a plan tells is final results of windows: no updates, models or alarms."""
    return bool(plan.windows) and not plan.in_order and all(window.emit == "final" for window in plan.windows)


class NextClose:
    """Of one source partition. Its event time is taken to go on with the clock, as little behind as it was seen lately.

    Where it goes faster, as in a replay, so much waits that nobody waits for more; where it stands still, a close is
    near until it comes. Times are seconds on a clock that only goes forward.
    """

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = windows
        self._high = NEVER
        self._seen_s = self._behind_s = math.inf
        self.at_s = math.inf
        """When a record that lets a window close should come; never, before anything was seen."""
        self._last_s = -math.inf

    def seen(self, high_us: int, now_s: float) -> None:
        """The highest event time, after a range of records."""
        if high_us <= self._high or not self._windows:
            return
        if self._high != NEVER and any(closes_after(w, self._high) <= high_us for w in self._windows):
            self._last_s = now_s
        behind_s, crept_s = now_s - high_us / 1e6, CREEP * max(now_s - self._seen_s, 0.0)
        self._behind_s = min(behind_s, self._behind_s + crept_s)
        self._high, self._seen_s = high_us, now_s
        self.at_s = min(closes_after(w, high_us) for w in self._windows) / 1e6 + self._behind_s + AFTER_S

    def is_due(self, now_s: float) -> bool:
        """Whether the record that lets a window close should have come a moment ago, and has not."""
        return self.at_s <= now_s <= self.at_s + LATE_S

    def around(self, now_s: float, before_s: float, after_s: float) -> bool:
        """Whether a close comes within `before_s`, or came within `after_s`."""
        return now_s >= self.at_s - before_s or now_s <= self._last_s + after_s
