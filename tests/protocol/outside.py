"""The owners' ports on the world: every call is a flight, so anything may happen before, in and after its effect."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from lepton_stream.chunk import Chunk
from lepton_stream.core import Prepared
from lepton_stream.protocol.ports import Record
from tests.protocol.world import Life, Violation, World

RESENT = 0.05


class WorldSourcePort:
    """`protocol.ports.SourcePort`."""

    def __init__(self, world: World, life: Life) -> None:
        self.world, self.life, self.s = world, life, life.what[1]

    async def commit(self, offset: int, metadata: str) -> None:
        w = self.world
        await w.send(self.life, [partial(w.commit, self.life.who, self.life.what, offset, metadata)])

    async def send(self, frames: Sequence[bytes]) -> None:
        """To every partition at its own pace; now and then a frame is sent twice, the second time at any time later."""
        w = self.world
        effects = [partial(w.append, log, frame) for log, frame in zip(w.shuffle, frames, strict=True)]
        again = [w.send(self.life, [effect]) for effect in effects if w.rng.random() < RESENT]
        for flight in [w.send(self.life, [effect]) for effect in effects]:
            await flight
        assert len(again) <= len(frames)

    async def set_aside(self, chunk: Chunk, prepared: Prepared) -> None:
        w = self.world
        dead = [partial(w.bury, self.s, int(chunk.offsets[r.row]), str(r.reason)) for r in prepared.rejects]
        late = [partial(w.late.add, (self.s, int(o))) for o in prepared.late]
        if dead or late:
            await w.send(self.life, [*dead, *late])

    async def admitted(self, high: int) -> None:
        return


class WorldMergePort:
    """`protocol.ports.MergePort`."""

    def __init__(self, world: World, life: Life) -> None:
        self.world, self.life, self.p = world, life, life.what[1]
        self.epoch = -1

    async def commit(self, offset: int, metadata: str) -> None:
        w = self.world
        await w.send(self.life, [partial(w.commit, self.life.who, self.life.what, offset, metadata)])

    async def take_epoch(self) -> None:
        [self.epoch] = await self.world.send(self.life, [partial(self.world.take_epoch, self.p)])

    async def append_state(self, parts: Sequence[bytes]) -> list[int]:
        """In order; now and then one is there twice."""
        w, log = self.world, self.world.state[self.p]
        w.met["checkpoint in several parts"] += len(parts) > 1
        if w.rng.random() < RESENT:
            w.send(self.life, [partial(w.append, log, w.rng.choice(parts))])
        return await w.send(self.life, [partial(w.append, log, part) for part in parts])

    async def read_state(self, first: int, last: int) -> list[tuple[int, bytes]]:
        w = self.world
        start = max(first, w.state_start[self.p])
        [found] = await w.send(self.life, [lambda: list(enumerate(w.state[self.p]))[start : last + 1]])
        return list(found)

    async def publish(self, records: Sequence[Record]) -> None:
        if self.epoch < 0:
            raise Violation("published without an epoch")
        w = self.world
        await w.send(self.life, [partial(w.publish, self.p, self.epoch, record) for record in records])

    async def trim(self, shuffle_below: int, state_below: int) -> None:
        """Put off, and not always done."""
        if self.world.rng.random() < 0.5:
            self.world.send(self.life, [partial(self._trim, shuffle_below, state_below)])

    def _trim(self, shuffle_below: int, state_below: int) -> None:
        w, p = self.world, self.p
        w.met["shuffle trimmed"] += shuffle_below > w.shuffle_start[p]
        w.met["state trimmed"] += state_below > w.state_start[p]
        w.shuffle_start[p] = max(w.shuffle_start[p], shuffle_below)
        w.state_start[p] = max(w.state_start[p], state_below)
