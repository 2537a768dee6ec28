"""Whether a record is likely to reach an event time, by the time at which it was written; before it is read."""

from __future__ import annotations

import math


class Stamps:
    """Of one source partition: how far its event times are behind the stamps that producers or the broker gave.

    Stamps and event times are microseconds since 1970.
    """

    def __init__(self) -> None:
        self._behind_us = math.inf
        self.tell = False
        """Whether the last event time that was waited for came with a stamp that told of it."""
        self._may_hope = True

    def reach(self, stamp_us: int | None, event_us: int) -> bool:
        """Whether a record with this stamp is likely to have that event time or a later one.

        After a hope that was wrong there is none until `learn` is told of a later event time.
        """
        return self._may_hope and stamp_us is not None and stamp_us - self._behind_us >= event_us

    def hope(self) -> None:
        """Records are read for what their stamps tell."""
        self._may_hope = False

    def learn(self, stamp_us: int | None, event_us: int, crept_us: float, *, has_come: bool) -> None:
        """What was read: the stamp of the last record and the highest event time, higher than any before.

        `has_come`: whether that was waited for. By `crept_us` event times may be further behind than before.
        """
        was_hoped, self._may_hope = not self._may_hope, True
        if has_come:
            self.tell = was_hoped
        if stamp_us is not None:
            behind_us, is_wrong = stamp_us - event_us, was_hoped and not has_come
            self._behind_us = behind_us if is_wrong else min(behind_us, self._behind_us + crept_us)
