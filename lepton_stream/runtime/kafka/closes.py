"""When windows may close next, by the sources that a worker owns: asked in the consumer's thread, too."""

from __future__ import annotations

from collections.abc import Sequence

from lepton_stream import clock
from lepton_stream.chunk import SourcePartition
from lepton_stream.pipeline.plan import Window
from lepton_stream.runtime.kafka.linger import Waits, near_close_s, waits_now
from lepton_stream.windows.next_close import NextClose


class Closes:
    """Owners of sources tell what they have seen; fetches and checkpoints ask."""

    def __init__(self) -> None:
        self._of: dict[SourcePartition, NextClose] = {}

    def begin(self, source: SourcePartition, windows: Sequence[Window]) -> NextClose:
        """Of a source that this worker owns from now on."""
        close = self._of[source] = NextClose(windows)
        return close

    def clear(self) -> None:
        """This worker owns no source any more."""
        self._of = {}

    def waits(self, flush_s: float) -> Waits:
        """How a fetch waits now."""
        return waits_now(flush_s, list(self._of.values()), clock.elapsed_s())

    def near_s(self) -> float:
        """Seconds for which a window closes, or may close; 0: none does."""
        return near_close_s(list(self._of.values()), clock.elapsed_s())
