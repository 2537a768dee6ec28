"""Proof that a fault hit unfinished work: what the group had committed when it struck, against what the logs held."""

from __future__ import annotations

import time
from dataclasses import dataclass

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.view import Seen
from tests.kafka_pipeline.pipe import Pipe, until


@dataclass(frozen=True)
class Blow:
    """`claims`: ranges claimed and not completed; `behind`: records written and not counted; `frames`: not merged."""

    fault: str
    at: float
    claims: int
    behind: int
    frames: int
    ends: dict[SourcePartition, int]

    @property
    def hit(self) -> bool:
        """Whether anything was unfinished."""
        return bool(self.claims or self.behind or self.frames)

    @property
    def proof(self) -> str:
        """In words."""
        return f"{self.claims} open claims, {self.behind:,} records and {self.frames:,} frames behind"

    def over(self, pipe: Pipe) -> bool:
        """Whether every source record that was there is counted."""
        now = pipe.look()
        return all(now.position(tp) >= end for tp, end in self.ends.items())


def blow(pipe: Pipe, fault: str, seen: Seen | None = None) -> Blow:
    """As it is now, or was at this look."""
    at = time.monotonic()
    seen = seen or pipe.look()
    sources, shuffle = pipe.partitions(pipe.source), pipe.partitions(pipe.names.shuffle)
    claims = [(seen.claim(tp), seen.position(tp)) for tp in sources]
    return Blow(
        fault,
        at,
        sum(c is not None and (c.claim or 0) > done for c, done in claims),
        sum(map(seen.behind, sources)),
        sum(map(seen.behind, shuffle)),
        {tp: seen.ends.get(tp, 0) for tp in sources},
    )


def busy(pipe: Pipe, fault: str, seconds: float = 20) -> Blow:
    """As soon as something is unfinished."""

    def look() -> Blow | None:
        found = blow(pipe, fault)
        return found if found.hit else None

    return until(look, seconds, "something unfinished", every=0)
