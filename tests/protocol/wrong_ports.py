"""Ports with one planted defect each: what leaves in the wrong order, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from lepton_stream.chunk import Chunk
from lepton_stream.core import Prepared
from lepton_stream.protocol.merger import FENCE
from lepton_stream.protocol.parts import chain
from lepton_stream.protocol.ports import Record
from tests.protocol.outside import WorldMergePort, WorldSourcePort

UNSENT = 0.05


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


class TrimTooFar(WorldMergePort):
    """`<=` for `<`: the first frame that is still needed is deleted with those before it."""

    async def trim(self, shuffle_below: int, state_below: int) -> None:
        await super().trim(shuffle_below + 1, state_below)


class IgnoredSendFailure(WorldSourcePort):
    """Now and then a frame is not sent, and nobody asks."""

    async def send(self, frames: Sequence[bytes]) -> None:
        w = self.world
        sent = [(log, f) for log, f in zip(w.shuffle, frames, strict=True) if w.rng.random() > UNSENT]
        for log, frame in sent:
            await w.send(self.life, [partial(w.append, log, frame)])


class LettersAfterCommit(WorldSourcePort):
    """Dead letters leave when the range is already done."""

    waiting: tuple[Chunk, Prepared] | None = None

    async def set_aside(self, chunk: Chunk, prepared: Prepared) -> None:
        self.waiting = chunk, prepared

    async def commit(self, offset: int, metadata: str) -> None:
        await super().commit(offset, metadata)
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            await super().set_aside(*waiting)
