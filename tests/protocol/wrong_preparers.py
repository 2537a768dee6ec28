"""Owners of source partitions with one planted defect each."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import replace

import numpy as np

from lepton_stream.chunk import SourcePartition, Values
from lepton_stream.columns import Columns, Index, Mask, Numbers
from lepton_stream.core import Job
from lepton_stream.dedup.fingerprint import Fingerprints
from lepton_stream.dedup.memory import DedupMemory
from lepton_stream.formats.decoder import Decoded, Decoder
from lepton_stream.protocol.ports import Position, SourcePort
from lepton_stream.protocol.preparer import Preparer
from lepton_stream.windows.watermark import NEVER


class LateAtMerge(Preparer):
    """Nobody judges lateness before the shuffle."""

    def __init__(self, job: Job, source: SourcePartition, port: SourcePort) -> None:
        lenient = copy(job)
        lenient.sections = tuple(replace(s, window=replace(s.window, lateness_us=1 << 60)) for s in job.sections)
        super().__init__(lenient, source, port)


class _Firsts(DedupMemory):
    def __init__(self, memory: int) -> None:
        super().__init__(memory)
        self._first: dict[tuple[int, int], int] = {}

    def seen(self, prints: Fingerprints, offsets: Index) -> Mask:
        out = []
        for high, low, offset in zip(prints.high.tolist(), prints.low.tolist(), offsets.tolist(), strict=True):
            before = self._first.get((high, low))
            out.append(before is not None and offset - before <= self.memory)
            if not out[-1]:
                self._first[high, low] = offset
        return np.array(out, np.bool_)


class FirstOccurrence(Preparer):
    """A repeated id does not refresh the memory."""

    def __init__(self, job: Job, source: SourcePartition, port: SourcePort) -> None:
        super().__init__(job, source, port)
        self.state.dedup = _Firsts(job.plan.dedup_memory)


class NoClaim(Preparer):
    """Frames leave before anybody knows of their range."""

    async def _commit(self, *, claim: int | None = None, ended: bool = False) -> None:
        if claim is None:
            await super()._commit(ended=ended)


class HighNotInClaim(Preparer):
    """A new owner starts without the highest event time."""

    def begin(
        self, at: Position, until: int | None = None, run: str = "", before: Preparer | None = None, era: int = 0
    ) -> int:
        start = super().begin(at, until, run, before, era)
        self.state.high = NEVER
        return start


class OneEra(Preparer):
    """Nobody tells one run from another."""

    def begin(
        self, at: Position, until: int | None = None, run: str = "", before: Preparer | None = None, era: int = 0
    ) -> int:
        return super().begin(at, until, run, before)


class IdleUnclaimed(Preparer):
    """The heartbeat goes out before its commit."""

    async def quiet(self, mark: int) -> None:
        if mark > self._idle and self._claimed is None and self._next >= self.done and not self._end_told:
            await self._tell(mark)
            await super().quiet(mark)


class LateOnTheEdge(Preparer):
    """`<=` for `<`: a record exactly as old as the lateness allows is late."""

    def __init__(self, job: Job, source: SourcePartition, port: SourcePort) -> None:
        strict = copy(job)
        strict.sections = tuple(
            replace(s, window=replace(s.window, lateness_us=s.window.lateness_us - 1)) for s in job.sections
        )
        super().__init__(strict, source, port)


class _RoundedIds:
    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def decode(self, values: Values) -> Decoded:
        found = self._decoder.decode(values)
        ids = found.columns["id"]
        assert isinstance(ids, Numbers)
        rounded: Columns = {"id": Numbers(ids.values.astype(np.float64).astype(np.int64), ids.valid)}
        return replace(found, columns={**found.columns, **rounded})

    def unlisted(self, value: bytes) -> Iterable[str]:
        return self._decoder.unlisted(value)


class FloatIds(Preparer):
    """Ids go through a float, where two neighbours above 2**53 are one."""

    def __init__(self, job: Job, source: SourcePartition, port: SourcePort) -> None:
        rounded = copy(job)
        rounded.decoder = _RoundedIds(job.decoder)
        super().__init__(rounded, source, port)


class ResetToEarliest(Preparer):
    """Where retention has passed the position, what is left is counted as if nothing had been lost."""

    def begin(
        self, at: Position, until: int | None = None, run: str = "", before: Preparer | None = None, era: int = 0
    ) -> int:
        if at.offset is not None and at.offset < at.log_start:
            at = replace(at, offset=at.log_start)
        return super().begin(at, until, run, before, era)
