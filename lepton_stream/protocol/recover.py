"""The group's commits are gone (a service was stopped for longer than the broker keeps them): go on from the logs.

Only while nobody sends: every owner waits until one member has committed all that is missing, in one request. For each
shuffle partition a `Recovery` begins, takes all frames that are left, and writes a checkpoint; `claims` then tells
where each source goes on. Once both are committed the usual owners find all in order. Whoever dies before has changed
nothing that counts: checkpoints that no pointer names are folds of the same log, as good as any; it can be done again.

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
from lepton_stream.protocol.merger import FENCE, Merger
from lepton_stream.protocol.metadata import Claim, Pointer, to_text
from lepton_stream.protocol.outputs import event_records, records_of
from lepton_stream.protocol.parts import Stored, chain
from lepton_stream.protocol.ports import Position, Record
from lepton_stream.windows.watermark import Progress

EVERYTHING = (1 << 62) - 1
"""Reads the state log to its end."""


class Recovery(Merger):
    """A `Merger` that finds its pointer in the state log, and neither commits nor publishes.

    A partition that still has its commit is brought to the end of its log all the same, and need not be written.
    """

    _again: tuple[Record, ...] = ()

    async def begin(self, at: Position, before: Merger | None = None) -> int:
        """The offset to read frames from: the start of the log, where there is no commit.

        Raises IntegrityError where the logs do not hold all that is needed.
        """
        if at.offset is not None:
            await self._restore(self.place(at))
            return self.next
        where = f"{self.partition.topic} partition {self.partition.partition}"
        found = newest(self.job, await self._port.read_state(0, EVERYTHING), where)
        if found is None and at.log_start > 0:
            raise IntegrityError(
                f"{where}: the group's offsets have expired or were deleted, the log begins at {at.log_start}, and no "
                "complete checkpoint tells what came before; give the plan a new `version`, which has topics of its own"
            )
        if found is not None:
            self.pointer, stored, highest = found
            for one in stored:
                core.apply(self.job, self.state, one.delta)
            self.state.number = highest  # a version above any that was published
            self._turns.restored(self.pointer.base, [len(one.delta) for one in stored])
            self._again = stored[-1].outputs
        self.next = at.log_start
        return self.next

    async def write(self) -> tuple[int, str]:
        """Write a checkpoint of all that was taken; the offset and metadata to commit for it."""
        position, _, _ = await self._write()
        return position, to_text(self.pointer)

    def _outputs(self, done: Checkpoint) -> tuple[Record, ...]:
        """The last results once more, as nobody knows whether all were published, and a fence.

        The owner that begins with this checkpoint publishes them, as it would after any restart.
        """
        again = {r.key: _renumbered(r, done.number) for r in self._again if r.value is not None and not r.event}
        events = [r for r in self._again if r.event]
        self._again = ()
        new = {r.key: r for r in records_of(done.results)}
        return (FENCE, *(again | new).values(), *events, *event_records(done.events))


def _renumbered(record: Record, number: int) -> Record:
    return Record(record.key, orjson.dumps(orjson.loads(record.value or b"") | {"version": number}))


def newest(job: Job, records: Sequence[tuple[int, bytes]], where: str) -> tuple[Pointer, list[Stored], int] | None:
    """(a pointer to the checkpoint that had come furthest, what its state is put together from, highest number).

    Checkpoints that nobody pointed at (a zombie's) serve as well as others: each is a fold of the same log. None for a
    log without a complete checkpoint: then none was ever pointed at, and nothing was trimmed.
    """
    heads = {offset: meta for offset, meta in _metas(records) if meta["part"] == 0}
    best: tuple[int, Pointer, list[Stored]] | None = None
    for first, head in heads.items():
        base = first if head["base"] < 0 else head["base"]
        try:
            stored = chain([r for r in records if r[0] >= base], first, base, where)
        except IntegrityError:  # not all of its parts arrived, or it builds on what was trimmed
            continue
        came = sum(p.next for p in core.progress_in(stored[-1].delta).values())
        if best is None or came >= best[0]:  # of two folds of one log, the one that came further has more
            last = max(offset for offset, _ in records)
            best = came, Pointer(job.plan_hash, first, last, base, head["number"]), stored
    return None if best is None else (best[1], best[2], max(meta["number"] for _, meta in _metas(records)))


def _metas(records: Sequence[tuple[int, bytes]]) -> list[tuple[int, dict[str, Any]]]:
    return [(offset, wire.load(data)[0]) for offset, data in records]


def _stands(s: int, seen: Sequence[Progress], begin: int) -> list[int]:
    """The distinct offsets, at most two, up to which the shuffle partitions have seen a source."""
    remedy = "give the plan a new `version`, which has topics of its own"
    stands = sorted({p.next for p in seen})
    if stands[0] == UNKNOWN and len(stands) > 1:
        if begin > 0:
            raise IntegrityError(
                f"source {s}: the group's offsets are gone, a shuffle partition has seen nothing of this source, and "
                f"its log now begins at {begin}: where it was begun to be counted is lost; {remedy}"
            )
        stands = sorted({max(at, 0) for at in stands})  # nothing lies before 0: it was counted from there
    if len(stands) > 2:
        raise IntegrityError(f"source {s}: the shuffle partitions stand at {stands}, so frames are missing; {remedy}")
    return stands


def claims(job: Job, folded: Mapping[int, PartitionState], begins: Mapping[int, int]) -> dict[int, tuple[int, Claim]]:
    """Where each source goes on: (offset to commit, its metadata), after every shuffle partition was recovered.

    `begins`: where each source's log begins now. Sources of which no partition has seen anything are left out: they
    begin as new ones. A range that only some partitions have seen is claimed, and so sent again as it was. Ends that
    were told are left to the next run to tell again. Raises IntegrityError where the partitions stand at more than two
    offsets: an owner sends a range only when the one before it is everywhere.
    """
    out: dict[int, tuple[int, Claim]] = {}
    era = 1 + max(state.era for state in folded.values())
    for s in sorted({s for state in folded.values() for s in state.progress}):
        seen = [state.progress[s] for state in folded.values()]
        stands = _stands(s, seen, begins.get(s, 0))
        if stands == [UNKNOWN]:
            continue
        at, claim = stands[0], stands[1] if len(stands) == 2 else None
        high, idle = max(p.high for p in seen if max(p.next, 0) == at), max(p.idle for p in seen)
        out[s] = at, Claim(job.plan_hash, claim, high, idle, era=era)
    return out
