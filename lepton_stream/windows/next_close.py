"""When a window may close next, by the clock: until then no final result waits for the records that come."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lepton_stream.pipeline.plan import Plan, Window
from lepton_stream.windows.stamps import Stamps
from lepton_stream.windows.watermark import FOREVER, NEVER

CREEP = 0.002
"""By so much of the time that passes a source may have become slower, whose records came sooner before."""
AFTER_S = 0.01
"""Rather a little late than early: who comes too early has to come again."""
STAMPED_S = 0.04
"""For so long a record that should be here is not looked for while no stamp tells that it is."""
AHEAD_S = 0.05
"""By so much sooner than expected a close may come."""
FASTER = 2.0
"""Where event time goes so many times as fast as the clock it is a replay: nobody waits for one close of it as such."""
LATE_S = 0.1
"""A source that keeps a close waiting for longer has become slower or silent."""


def closes_after(window: Window, high_us: int) -> int:
    """The first event time beyond `high_us` that lets a window close, in µs."""
    first = window.offset_us + window.size_us + window.lateness_us
    return high_us + window.step_us - (high_us - first) % window.step_us


def waits_for_closes_alone(plan: Plan) -> bool:
    """Whether all that a plan tells is final results of windows: no updates, revisions, models or alarms."""
    closes_alone = all(window.emit == "final" and not window.grace_us for window in plan.windows)
    return bool(plan.windows) and not plan.in_order and closes_alone


class NextClose:
    """Of one source partition. Its event time is taken to go on with the clock, as little behind as it was seen lately.

    Where it goes faster, as in a replay, so much waits that nobody waits for more. For a close that does not come in
    time no fetch hurries any more, until a later record tells how far behind the source is now; what comes from such
    a source is claimed without an interval. Times are seconds on a clock that only goes forward.
    Before a record is read, its stamp tells whether it is likely to be the one that lets a window close (`stamps.py`).
    """

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = windows
        self._high, self._close_us = NEVER, FOREVER
        self._seen_s = self._behind_s = math.inf
        self._stamps = Stamps()
        self.at_s = math.inf
        """When a record that lets a window close should come; never, before anything was seen."""
        self.came_s = -math.inf
        """When a range began that brought, or is hoped to bring, the record that was expected."""
        self._replays = True
        self._before_s: float | None = None
        """While a range is worked on that is hoped to bring it: what `came_s` was before."""

    @property
    def due_s(self) -> float:
        """When to look for that record in what has come: a little later where stamps tell of it."""
        return self.at_s + STAMPED_S if self._stamps.tell else self.at_s

    def hoped(self, stamp_us: int | None) -> bool:
        """Whether a record with this stamp is likely to let a window close."""
        return self._stamps.reach(stamp_us, self._close_us)

    def taken(self, now_s: float, stamp_us: int | None = None) -> None:
        """A range of records is worked on, the last with this stamp; `seen` follows."""
        is_hoped = self.hoped(stamp_us)
        if is_hoped:
            self._stamps.hope()
        if not self._replays and self.at_s - (AHEAD_S if is_hoped else 0.0) <= now_s <= self.at_s + LATE_S:
            self._before_s, self.came_s = self.came_s, now_s

    def seen(self, high_us: int, now_s: float, stamp_us: int | None = None) -> None:
        """The highest event time, after a range of records whose last had this stamp, and came at `now_s`."""
        has_come = high_us >= self._close_us
        if has_come and not self._replays and self.at_s - AHEAD_S <= now_s:
            self.came_s = max(now_s, self.came_s)
        elif self._before_s is not None:
            self.came_s = self._before_s
        self._before_s = None
        if high_us <= self._high or not self._windows:
            return
        passed_s = max(now_s - self._seen_s, 0.0)
        self._replays = (high_us - self._high) / 1e6 > FASTER * (passed_s + AHEAD_S)
        behind_s, crept_s = now_s - high_us / 1e6, CREEP * passed_s
        is_overdue = not has_come and now_s > self.at_s + LATE_S
        self._behind_s = behind_s if is_overdue else min(behind_s, self._behind_s + crept_s)
        self._stamps.learn(stamp_us, high_us, crept_s * 1e6, has_come=has_come)
        self._high, self._seen_s = high_us, now_s
        self._close_us = min(closes_after(w, high_us) for w in self._windows)
        self.at_s = self._close_us / 1e6 + self._behind_s + AFTER_S

    def rest_until(self, now_s: float, rest_s: float) -> float:
        """Until when a source may rest: not beyond a close, nor while one is due and has not come."""
        rested_s = now_s + rest_s
        return rested_s if now_s > self.at_s + LATE_S else max(now_s, min(rested_s, self.at_s))

    def awaited(self, now_s: float) -> bool:
        """Whether the record that lets a window close should be here, and nothing is worked on that may bring it."""
        return self.at_s <= now_s <= self.at_s + LATE_S and self._before_s is None

    def near_s(self, now_s: float, before_s: float, after_s: float) -> float:
        """For how long a close is near: it comes within `before_s`, is due, or came within `after_s`; 0: none is."""
        due_s = self.at_s + LATE_S if self.at_s - before_s <= now_s else -math.inf
        return max(due_s, self.came_s + after_s, now_s) - now_s
