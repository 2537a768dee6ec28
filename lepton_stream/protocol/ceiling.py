"""The ceiling on dead letters: a flood of them means that what arrives is not what the plan is for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from lepton_stream.chunk import Chunk
from lepton_stream.errors import FloodError
from lepton_stream.formats.decoder import Reject
from lepton_stream.pipeline.plan import DeadLetters


class Ceiling:
    """Counts the records of one source partition in runs of `among`, one after the other, from where its owner began.

    However the records are cut into chunks, the same one is one too many.
    """

    def __init__(self, setting: DeadLetters) -> None:
        self._setting = setting
        self._most = setting.ceiling * setting.among
        self._seen = self._dead = 0
        """Records of the run that goes on, and how many of them are dead letters."""
        self._first: tuple[int, Reject] | None = None

    def add(self, chunk: Chunk, rejects: Sequence[Reject]) -> None:
        """Count the chunk. Raises FloodError where a run has too many: nothing of the chunk may be sent then."""
        rejects = sorted(rejects)
        rows = [reject.row for reject in rejects]
        row = counted = 0
        while row < len(chunk):
            upto = min(row + self._setting.among - self._seen, len(chunk))
            found = bisect_left(rows, upto)
            if found > counted and self._first is None:
                self._first = int(chunk.offsets[rows[counted]]), rejects[counted]
            self._dead += found - counted
            self._seen += upto - row
            if self._dead > self._most and self._first is not None:
                raise FloodError(self._message(chunk, int(chunk.offsets[upto - 1]), *self._first))
            if self._seen == self._setting.among:
                self._seen = self._dead = 0
                self._first = None
            row, counted = upto, found

    def _message(self, chunk: Chunk, last: int, first: int, reject: Reject) -> str:
        s, setting = chunk.source, self._setting
        return (
            f"{s.topic} partition {s.partition}: {self._dead:,} of the {self._seen:,} records up to offset {last} are "
            f"dead letters, more than dead_letters.ceiling = {setting.ceiling:g} allows among {setting.among:,}. "
            f"The first, at offset {first}: {reject.reason}, {reject.detail}. "
            f"The worker stops before offset {chunk.start}; nothing is lost. Mend the producer or the plan (with a new "
            "version); if the input is meant to be so, raise dead_letters.ceiling (1: never stop). Then start again. "
            "`lepton-stream dlq` shows and replays what was set aside before"
        )
