"""What a worker sees of its whole group, once a second: every claim, every pointer, how long the logs are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from lepton_stream.chunk import SourcePartition
from lepton_stream.pipeline.plan import Plan
from lepton_stream.protocol.metadata import Claim, Pointer, claim_of, pointer_of
from lepton_stream.runtime.kafka.group import Committed, Group
from lepton_stream.runtime.kafka.limits import Limits
from lepton_stream.runtime.kafka.logs import Logs
from lepton_stream.windows.watermark import NEVER

HOUR_US = 3_600_000_000
SOON_S = 0.05


@dataclass(frozen=True, slots=True)
class Seen:
    """One look: committed positions, and the ends of the logs."""

    committed: dict[SourcePartition, Committed | None] = field(default_factory=dict)
    ends: dict[SourcePartition, int] = field(default_factory=dict)

    def position(self, tp: SourcePartition) -> int:
        """Committed offset, 0 if there is none."""
        found = self.committed.get(tp)
        return found.offset if found else 0

    def behind(self, tp: SourcePartition) -> int:
        """Records that are written and not committed."""
        return max(0, self.ends.get(tp, 0) - self.position(tp))

    def claim(self, tp: SourcePartition) -> Claim | None:
        """The claim of a source partition, None without metadata."""
        found = self.committed.get(tp)
        return claim_of(found.metadata, f"{tp.topic} partition {tp.partition}") if found and found.metadata else None

    def pointer(self, tp: SourcePartition) -> Pointer | None:
        """The pointer of a shuffle partition, None without metadata."""
        found = self.committed.get(tp)
        return pointer_of(found.metadata, f"{tp.topic} partition {tp.partition}") if found and found.metadata else None


class View:
    """Looks at the group and answers what owners ask: may I claim more, are windows open, has everything ended?"""

    def __init__(
        self,
        plan: Plan,
        group: Group,
        logs: Logs,
        sources: Sequence[SourcePartition],
        shuffle: Sequence[SourcePartition],
        limits: Limits,
    ) -> None:
        self._group, self._logs, self._limits = group, logs, limits
        self.sources, self.shuffle = tuple(sources), tuple(shuffle)
        longest = max(*(w.size_us + w.lateness_us for w in plan.windows), *(m.lateness_us for m in plan.in_order), 0)
        skew = limits.max_skew_us
        self._skew_us = max(10 * longest, HOUR_US) if skew is None else skew
        self.seen = Seen()
        self._began = Seen()
        self.frame_bytes = 0.0
        """Running mean of the bytes of a frame, told by who sends them."""
        self.era = 0
        """The number of the run that we are in, by the claims at our last assignment."""
        self._looked, self._asking = asyncio.Event(), asyncio.Lock()

    async def look(self) -> Seen:
        """Look once. Raises BrokerError."""
        both = (*self.sources, *self.shuffle)
        committed, ends = await asyncio.gather(self._group.committed(both), self._logs.ends(both))
        self.seen = Seen(committed, ends)
        looked, self._looked = self._looked, asyncio.Event()
        looked.set()
        return self.seen

    def sent(self, sizes: Sequence[int]) -> None:
        """These frames were sent."""
        for size in sizes:
            self.frame_bytes += 0.05 * (size - self.frame_bytes)

    def may_claim(self, high: int) -> bool:
        """Back-pressure: merge is not too far behind, and this source is not too far ahead of the others."""
        most = max((self.seen.behind(tp) for tp in self.shuffle), default=0)
        if most * self.frame_bytes > self._limits.shuffle_ahead_bytes:
            return False
        slowest = self._slowest()
        return slowest is None or high <= slowest + self._skew_us

    def _slowest(self) -> int | None:
        """Event time of the slowest source that has records to read, None if nobody can tell."""
        highs = []
        for tp in self.sources:
            claim = self.seen.claim(tp)
            if claim is not None and not claim.ended and claim.high > NEVER and self.seen.behind(tp):
                highs.append(claim.high)
        return min(highs, default=None)

    async def pointed(self) -> None:
        """Returns when every shuffle partition has a commit, which its owner makes as soon as it begins."""
        async with self._asking:  # one asks for all
            while not all(self.seen.committed.get(tp) for tp in self.shuffle):
                await asyncio.sleep(SOON_S)
                await self.look()

    async def next_look(self) -> None:
        """Returns after the next look."""
        await self._looked.wait()

    @property
    def windows_open(self) -> bool:
        """Whether any partition has windows that wait to be closed."""
        return any(pointer is not None and pointer.oldest is not None for pointer in self._pointers())

    async def begin_run(self) -> None:
        """A run with an end begins: what earlier runs have said about theirs is not this one's. Raises BrokerError."""
        await self.look()
        self._began = self.seen

    @property
    def ended(self) -> bool:
        """Whether every source has come to this run's end, and every shuffle partition to all of them."""
        claims = {tp: self.seen.claim(tp) for tp in self.sources}
        if not all(claim is not None and self._is_this_runs(tp, claim) for tp, claim in claims.items()):
            return False
        upto = sum(self.seen.position(tp) for tp in self.sources)
        return all(p is not None and p.ended and p.upto == upto for p in self._pointers())

    def _is_this_runs(self, tp: SourcePartition, claim: Claim) -> bool:
        """An end that was there before we began counts only if there was nothing behind it."""
        return claim.ended and (claim != self._began.claim(tp) or self.seen.position(tp) >= self._began.ends.get(tp, 0))

    def _pointers(self) -> list[Pointer | None]:
        return [self.seen.pointer(tp) for tp in self.shuffle]
