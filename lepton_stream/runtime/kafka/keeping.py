"""The task that keeps a worker within its memory: looks at its owners, pauses and resumes its sources."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.inbox import Gate
from lepton_stream.runtime.kafka.keeper import LOOK_S, Keeper
from lepton_stream.runtime.kafka.owners import Owner, ShuffleOwner, SourceOwner

MEMORY = "memory"


async def keep(keeper: Keeper, owners: Callable[[], Mapping[SourcePartition, Owner]], gate: Gate) -> None:
    """Again and again, until cancelled. Raises MemoryBudgetError when state does not fit and nothing sets any free."""
    paused: set[SourcePartition] = set()
    while True:
        mine = owners()
        for owner in mine.values():
            owner.note()
        settled = all(owner.settled for owner in mine.values() if isinstance(owner, ShuffleOwner))
        keeper.look(sum(owner.waiting for owner in mine.values()), settled=settled)
        wanted = {tp for tp, owner in mine.items() if keeper.step.pause and isinstance(owner, SourceOwner)}
        for tp in wanted - paused:
            gate.pause(tp, MEMORY)
        for tp in paused - wanted:
            gate.resume(tp, MEMORY)
        paused = wanted
        await asyncio.sleep(LOOK_S)
