"""How far event time has come: per source partition, and for everything that is fed by several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lepton_stream.columns import Index, Mask

NEVER = np.iinfo(np.int64).min // 2
"""The event time before any record; far enough from the ends of int64 that a lateness can be taken off it."""

FOREVER = np.iinfo(np.int64).max // 2
"""The event time after every record."""


@dataclass(slots=True)
class Progress:
    """What a shuffle partition knows of one source partition.

    `next`: the offset that its next frame must start with. `high`: its highest event time. `idle`: up to where time has
    passed without records, by the broker's clock. `ended`: it was read to its last record, in the run number `era`.
    `earlier`: another run has begun since: the source may have more to send.
    """

    next: int = 0
    high: int = NEVER
    idle: int = NEVER
    ended: bool = False
    earlier: bool = False
    era: int = 0


def watermark(sources: Iterable[Progress]) -> int:
    """The smallest progress of the sources that may still send records; NEVER without sources or while one is new.

    A source that has ended in this run holds nobody back. When all have, the furthest of all is the watermark: it never
    goes back, and is not raised beyond what was seen.
    """
    listed = list(sources)
    running = [max(p.high, p.idle) for p in listed if not p.ended or p.earlier]
    return min(running) if running else max((max(p.high, p.idle) for p in listed), default=NEVER)


def high_before(high: int, time: Index) -> tuple[Index, int]:
    """(the highest event time before each record, the highest after all); `high`: before the first."""
    running = np.maximum.accumulate(np.concatenate([np.array([high], np.int64), time]))
    return running[:-1], int(running[-1])


def late(time: Index, before: Index, lateness_us: int) -> Mask:
    """Which records are older than the highest event time before them less the lateness."""
    return time < before - lateness_us
