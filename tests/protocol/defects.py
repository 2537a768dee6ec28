"""The planted defects: each a small change of an owner, of its port or of the world, and each must be found."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from lepton_stream.chunk import SourcePartition
from lepton_stream.columns import Index, Mask
from lepton_stream.core import Job
from lepton_stream.dedup.fingerprint import Fingerprints
from lepton_stream.dedup.memory import DedupMemory
from lepton_stream.protocol.merger import FENCE, Merger
from lepton_stream.protocol.parts import chain
from lepton_stream.protocol.ports import FrameRun, Position, Record, SourcePort
from lepton_stream.protocol.preparer import Preparer
from lepton_stream.shuffle.frame import decode
from lepton_stream.windows.watermark import NEVER
from tests.protocol.outside import WorldMergePort, WorldSourcePort
from tests.protocol.world import Flaws


@dataclass(frozen=True)
class Defect:
    """Who plays which part; the product's own owners where nothing else is said."""

    flaws: Flaws = field(default_factory=Flaws)
    preparer: type[Preparer] = Preparer
    merger: type[Merger] = Merger
    source_port: type[WorldSourcePort] = WorldSourcePort
    merge_port: type[WorldMergePort] = WorldMergePort


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


class OutputsNotInState(Merger):
    """A new owner has nothing to publish again."""

    async def _restore(self, where: str) -> tuple[Record, ...]:
        await super()._restore(where)
        return ()


class DropOnFrom(Merger):
    """Whatever begins before the next offset is taken for a repetition."""

    def take(self, run: FrameRun) -> None:
        for offset, data in zip(run.offsets.tolist(), run.frames, strict=True):
            frame = decode(data)
            kept = [data] if frame.start >= self.state.progress[frame.source].next else []
            super().take(FrameRun(run.offsets[: len(kept)], kept, offset + 1))


class FenceBeforeProof(WorldMergePort):
    """Publishes a fence with the new epoch at once."""

    async def take_epoch(self) -> None:
        await super().take_epoch()
        await self.publish([FENCE])


class PointerBeforeState(WorldMergePort):
    """The parts are written after the pointer that names them."""

    waiting: Sequence[bytes] = ()

    async def append_state(self, parts: Sequence[bytes]) -> list[int]:
        self.waiting = parts
        end = len(self.world.state[self.p])
        return list(range(end, end + len(parts)))

    async def commit(self, offset: int, metadata: str) -> None:
        await super().commit(offset, metadata)
        parts, self.waiting = self.waiting, ()
        if parts:
            await super().append_state(parts)


class PublishBeforePointer(WorldMergePort):
    """Results go out before the pointer is committed."""

    async def append_state(self, parts: Sequence[bytes]) -> list[int]:
        offsets = await super().append_state(parts)
        outputs = chain(list(zip(offsets, parts, strict=True)), offsets[0], offsets[0], "model")[0].outputs
        if outputs:
            await super().publish(outputs)
        return offsets

    async def publish(self, records: Sequence[Record]) -> None:
        if records[0] is FENCE:
            await super().publish(records)


class PointerBeforePublishAck(WorldMergePort):
    """Nobody waits until the results are there."""

    async def publish(self, records: Sequence[Record]) -> None:
        if records[0] is FENCE:
            await super().publish(records)
        else:
            effects = [partial(self.world.publish, self.p, self.epoch, record) for record in records]
            self.world.send(self.life, effects)


NONE = Defect()
DEFECTS = {
    "generation_only": Defect(Flaws(generation_only=True)),
    "restamped_retry": Defect(Flaws(restamped_retry=True)),
    "faust_commit": Defect(Flaws(faust_commit=True)),
    "last_record_wins": Defect(Flaws(last_record_wins=True)),
    "late_at_merge": Defect(preparer=LateAtMerge),
    "first_occurrence": Defect(preparer=FirstOccurrence),
    "pointer_before_publish_ack": Defect(merge_port=PointerBeforePublishAck),
    "outputs_not_in_state": Defect(merger=OutputsNotInState),
    "no_claim": Defect(preparer=NoClaim),
    "pointer_before_state": Defect(merge_port=PointerBeforeState),
    "publish_before_pointer": Defect(merge_port=PublishBeforePointer),
    "high_not_in_claim": Defect(preparer=HighNotInClaim),
    "fence_before_proof": Defect(merge_port=FenceBeforeProof),
    "drop_on_from": Defect(merger=DropOnFrom),
    "idle_unclaimed": Defect(preparer=IdleUnclaimed),
}
