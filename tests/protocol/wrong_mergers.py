"""Owners of shuffle partitions with one planted defect each."""

from __future__ import annotations

from lepton_stream.protocol.kept import Kept
from lepton_stream.protocol.merger import Merger
from lepton_stream.protocol.ports import FrameRun, Record
from lepton_stream.shuffle.frame import decode
from lepton_stream.windows.results import Results

NOT_COUNTED = (0, 0)
"""Rows and cells of a take: for what they cost, which nobody asks here."""


class OutputsNotInState(Merger):
    """A new owner has nothing to publish again."""

    async def _restore(self, where: str) -> tuple[Record, ...]:
        await super()._restore(where)
        return ()


class DropOnFrom(Merger):
    """Whatever begins before the next offset is taken for a repetition."""

    def take(self, run: FrameRun) -> tuple[int, int]:
        for offset, data in zip(run.offsets.tolist(), run.frames, strict=True):
            frame = decode(data)
            kept = [data] if frame.start >= self.state.progress[frame.source].next else []
            super().take(FrameRun(run.offsets[: len(kept)], kept, offset + 1))
        return NOT_COUNTED


class NoRangeCheck(Merger):
    """A frame behind a hole is folded like any other."""

    def take(self, run: FrameRun) -> tuple[int, int]:
        for data in run.frames:
            frame, progress = decode(data), self.state.progress
            known = progress.get(frame.source)
            if known is not None and 0 <= known.next < frame.start:
                known.next = frame.start
        return super().take(run)


class LessForAtMost(Merger):
    """`<` for `<=`: a range that ends exactly where we stand is not known as a repetition."""

    def take(self, run: FrameRun) -> tuple[int, int]:
        for offset, data in zip(run.offsets.tolist(), run.frames, strict=True):
            frame = decode(data)
            progress = self.state.progress[frame.source]
            if frame.start < frame.end == progress.next:
                progress.next = frame.start
            super().take(FrameRun(run.offsets[:1], [data], offset + 1))
        self.next = run.end
        return NOT_COUNTED


class WallClockClose(Merger):
    """Windows close when some time has passed since the last checkpoint, whatever the records say."""

    async def _write(self) -> tuple[int, Kept, list[Results]]:
        ahead = max(progress.high for progress in self.state.progress.values())
        for progress in self.state.progress.values():
            if progress.next >= 0:
                progress.idle = max(progress.idle, ahead)
        return await super()._write()
