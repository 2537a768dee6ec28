"""The group's commits are gone (a service was stopped for longer than the broker keeps them): go on from the logs.

Only once the group is empty. For every shuffle partition a `Recovery` begins, takes all frames that are left, and makes
a checkpoint; `claims` then tells where each source goes on. Commit those, and the usual owners find all in order.

No frame is lost or counted twice: the shuffle was trimmed only below the last pointer, any complete checkpoint that is
not older knows how far each source had come, and repeated frames are left aside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from lepton_stream import core, wire
from lepton_stream.core import Checkpoint, Job, PartitionState
from lepton_stream.core.fold import UNKNOWN
from lepton_stream.errors import IntegrityError
from lepton_stream.protocol.merger import FENCE, Merger, records_of
from lepton_stream.protocol.metadata import Claim, Pointer
from lepton_stream.protocol.parts import Stored, chain
from lepton_stream.protocol.ports import Position, Record

EVERYTHING = (1 << 62) - 1
"""Reads the state log to its end."""


class Recovery(Merger):
    """A `Merger` that finds its pointer in the state log. Its first checkpoint is due once all frames are taken."""

    _again: tuple[Record, ...] = ()

    async def begin(self, at: Position, before: Merger | None = None) -> int:
        """Take over from the newest complete checkpoint; the offset to read from, which is the start of the log.

        Nothing is published before the first checkpoint has proved that we are the owner. Raises IntegrityError where
        the logs do not hold all that is needed.
        """
        where = f"{self.partition.topic} partition {self.partition.partition}"
        await self._port.take_epoch()
        found = newest(self.job, await self._port.read_state(0, EVERYTHING), where)
        if found is None and at.log_start > 0:
            raise IntegrityError(f"{where}: the log begins at {at.log_start}, and no checkpoint tells what came before")
        if found is not None:
            self.pointer, stored, highest = found
            for one in stored:
                core.apply(self.job, self.state, one.delta)
            self.state.number = highest  # a version above any that was published
            self._turns.restored(self.pointer.base, [len(one.delta) for one in stored])
            self._again = stored[-1].outputs
        self.next, self._moved = at.log_start, True
        return self.next

    def _outputs(self, done: Checkpoint) -> tuple[Record, ...]:
        """The last results once more, as nobody knows whether all were published, and a fence."""
        if not self._again:
            return (FENCE, *records_of(done.results))
        again = {r.key: _renumbered(r, done.number) for r in self._again if r.value is not None}
        self._again = ()
        new = {r.key: r for r in records_of(done.results)}
        return (FENCE, *(again | new).values())


def _renumbered(record: Record, number: int) -> Record:
    return Record(record.key, orjson.dumps(orjson.loads(record.value or b"") | {"version": number}))


def newest(job: Job, records: Sequence[tuple[int, bytes]], where: str) -> tuple[Pointer, list[Stored], int] | None:
    """(a pointer to the checkpoint that had come furthest, what its state is put together from, highest number).

    Checkpoints that nobody pointed at (a zombie's) serve as well as others: each is a fold of the same log. None for a
    log without checkpoints. Raises IntegrityError where there are some, but none is complete.
    """
    heads = {offset: meta for offset, meta in _metas(records) if meta["part"] == 0}
    best: tuple[int, Pointer, list[Stored]] | None = None
    for first, head in heads.items():
        base = first if head["base"] < 0 else head["base"]
        try:
            stored = chain([r for r in records if r[0] >= base], first, base, where)
        except IntegrityError:  # not all of its parts arrived, or it builds on what was trimmed
            continue
        came = _progress(job, stored[-1])
        if best is None or came >= best[0]:
            last = max(offset for offset, _ in records)
            best = came, Pointer(job.plan_hash, first, last, base, head["number"]), stored
    if best is None and heads:
        raise IntegrityError(f"{where}: no complete checkpoint is left in the state log")
    return None if best is None else (best[1], best[2], max(meta["number"] for _, meta in _metas(records)))


def _metas(records: Sequence[tuple[int, bytes]]) -> list[tuple[int, dict[str, Any]]]:
    return [(offset, wire.load(data)[0]) for offset, data in records]


def _progress(job: Job, stored: Stored) -> int:
    """How many offsets of all sources were folded: of two folds of one log, the one that came further has more."""
    state = PartitionState.empty(job, {})
    core.apply(job, state, stored.delta)
    return sum(p.next for p in state.progress.values())


def _refuse_uneven(s: int, stands: list[int]) -> None:
    remedy = "start a new consumer group with new topics"
    if stands[0] == UNKNOWN:
        raise IntegrityError(f"source {s}: a shuffle partition has seen nothing of it, so its start is lost; {remedy}")
    if len(stands) > 2:
        raise IntegrityError(f"source {s}: the shuffle partitions stand at {stands}, so frames are missing; {remedy}")


def claims(job: Job, states: Mapping[int, PartitionState]) -> dict[int, tuple[int, Claim]]:
    """Where each source goes on: (offset to commit, its metadata), after every shuffle partition was recovered.

    Sources of which no partition has seen anything are left out: they begin as new ones. A range that only some
    partitions have seen is claimed, and so sent again as it was. Raises IntegrityError where the partitions stand at
    more than two offsets: an owner sends a range only when the one before it is everywhere.
    """
    out: dict[int, tuple[int, Claim]] = {}
    for s in sorted({s for state in states.values() for s in state.progress}):
        seen = [state.progress[s] for state in states.values()]
        stands = sorted({p.next for p in seen})
        if stands == [UNKNOWN]:
            continue
        _refuse_uneven(s, stands)
        at, claim = stands[0], stands[1] if len(stands) == 2 else None
        high, idle = max(p.high for p in seen if p.next == at), max(p.idle for p in seen)
        ended = all(p.ended for p in seen)
        out[s] = at, Claim(job.plan_hash, claim, high, idle, end=at if ended else None, ended=ended)
    return out
