"""A log that ends before what was read of it: its topic was deleted and made anew, or the log was cut."""

from __future__ import annotations

from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import IntegrityError
from lepton_stream.runtime.kafka.errors import MADE_ANEW
from lepton_stream.runtime.kafka.view import Seen

LOOKS = 5
"""In a row: a new leader may for a moment know of less than the one before it had told."""


class Shrinking:
    """Of one source partition. A fetch tells mostly first; but not of a log that has grown again meanwhile."""

    def __init__(self, tp: SourcePartition) -> None:
        self._tp = tp
        self._seen: Seen | None = None
        self._done = self._short = 0

    def look(self, seen: Seen, done: int) -> None:
        """`done`: behind the last record that was prepared. Raises IntegrityError."""
        end = seen.ends.get(self._tp)
        if seen is self._seen or end is None:
            return
        self._seen = seen
        if end >= (self._done if self._short else done):  # the look may be older than what has been done since
            self._short = 0
            return
        self._done = self._done if self._short else done
        self._short += 1
        if self._short >= LOOKS:
            raise IntegrityError(
                f"{self._tp.topic} partition {self._tp.partition}: records up to offset {self._done} were counted, but "
                f"the log ends at {end}: the topic was deleted and made anew, or truncated; {MADE_ANEW}"
            )
