"""Proof that a fault hit unfinished work: what the group had committed when it struck, against what the logs held."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.view import Seen
from tests.faults.ledger import Ledger
from tests.kafka_pipeline.pipe import Pipe, until


@dataclass(frozen=True)
class Blow:
    """What was unfinished when a fault struck.

    `claims`: ranges claimed and not completed; `frames`: sent and not merged; `waiting`: by source partition, offsets
    [counted, end) that the topic held and nobody had counted.
    """

    fault: str
    at: float
    claims: int
    frames: int
    waiting: dict[SourcePartition, tuple[int, int]]

    @property
    def behind(self) -> int:
        """Records that were written and not counted."""
        return sum(end - counted for counted, end in self.waiting.values())

    def acked(self, ledgers: Iterable[Ledger]) -> int:
        """How many of those the ledgers know as acknowledged."""
        places = {tp.partition: place for tp, place in self.waiting.items()}
        return sum(ledger.between(places) for ledger in ledgers)

    def proof(self, acked: int) -> str:
        """In words."""
        return (
            f"{self.claims} open claims, {acked:,} acknowledged records not counted, {self.frames:,} frames not merged"
        )

    def over(self, pipe: Pipe) -> bool:
        """Whether every source record that was there is counted."""
        now = pipe.look()
        return all(now.position(tp) >= end for tp, (_, end) in self.waiting.items())


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
        sum(map(seen.behind, shuffle)),
        {tp: (seen.position(tp), seen.ends.get(tp, 0)) for tp in sources},
    )


def busy(pipe: Pipe, fault: str, ledgers: Iterable[Ledger], seconds: float = 20) -> Blow:
    """As soon as something is unfinished: a claim, frames, or records that the ledger knows as acknowledged."""
    known = list(ledgers)

    def look() -> Blow | None:
        found = blow(pipe, fault)
        return found if found.claims or found.frames or found.acked(known) else None

    return until(look, seconds, "something unfinished", every=0)
