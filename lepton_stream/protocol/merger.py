"""The owner of one shuffle partition: the group's commit is the pointer to the state."""

from __future__ import annotations

from lepton_stream import core
from lepton_stream.account import Account
from lepton_stream.chunk import SourcePartition
from lepton_stream.core import Checkpoint, Job, PartitionState
from lepton_stream.core.fold import UNKNOWN
from lepton_stream.errors import IntegrityError
from lepton_stream.protocol.kept import Kept, kept_of
from lepton_stream.protocol.limits import Limits
from lepton_stream.protocol.metadata import Pointer, pointer_of, refuse_other_plan, to_text
from lepton_stream.protocol.outputs import event_records, records_of
from lepton_stream.protocol.parts import Stored, chain, parts_of
from lepton_stream.protocol.ports import FrameRun, MergePort, Position, Record
from lepton_stream.protocol.turns import Turns
from lepton_stream.shuffle.frame import PartialsPart, RowsPart, decode
from lepton_stream.windows.results import Results
from lepton_stream.wire import FOREIGN

FENCE = Record(b'"fence"', None)
"""What a new owner publishes at least: once it is in, no earlier owner's record can follow."""


class Merger:
    """Begin, then take frames in offset order, and checkpoint now and then.

    The order in a checkpoint is: parts into the state log, pointer committed, results published; the next pointer waits
    for those. A refused commit or publication ends this owner: whatever it wrote besides is never pointed at.
    """

    def __init__(
        self,
        job: Job,
        partition: SourcePartition,
        port: MergePort,
        sources: int,
        incarnation: str,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        """`sources`: how many source partitions there are; `incarnation`: a name that no other owner ever has."""
        self.job, self.partition, self._port = job, partition, port
        self._incarnation = incarnation
        self.state = PartitionState.empty(job, dict.fromkeys(range(sources), UNKNOWN))
        self.pointer = Pointer(job.plan_hash)
        self.next = 0
        self._limits, self._turns = limits, Turns(limits)
        self._publishes_updates = any(w.emit == "updates" for w in job.plan.windows)
        self._moved = False
        self._updated = False
        self._urgent = False
        self._last: tuple[Record, ...] = ()
        self.rests: tuple[int, str] | None = None
        """The commit that `state` belongs to, while nothing has been folded since."""
        self.more = False
        """Windows wait to be closed: another checkpoint is due at once."""
        self.kept: Kept | None = None
        """What the checkpoint that the pointer names holds of the account; None until we have begun."""

    async def begin(self, at: Position, before: Merger | None = None) -> int:
        """Take over; the offset to read from. Raises IntegrityError where the log does not fit the pointer.

        `before`: the owner that this worker had for the partition earlier, at rest for good; where the group has not
        moved since, its state is taken over instead of being read.

        First the producer's epoch, then the pointer committed again as it is, which proves that we are the owner; only
        then something is published, which shuts out the owner before us.
        """
        where = self.place(at)
        await self._port.take_epoch()
        await self._port.commit(self.next, to_text(self.pointer))
        if before is not None and before.rests is not None and before.rests == (at.offset, at.metadata):
            self._adopt(before)
        else:
            self._last = await self._restore_as_owner(where)
        self.kept = kept_of(self.state)
        await self._port.publish([FENCE, *self._last])
        self.rests = (self.next, to_text(self.pointer))
        return self.next

    def _adopt(self, before: Merger) -> None:
        self.state, self._turns, self.more, self._last = before.state, before._turns, before.more, before._last
        before.rests = None  # what was its state is moved on by us from here

    def place(self, at: Position) -> str:
        """Find pointer and position; the partition's name for messages. Raises IntegrityError as `begin` does."""
        where = f"{self.partition.topic} partition {self.partition.partition}"
        self.next = at.log_start if at.offset is None else at.offset
        if at.metadata:
            self.pointer = pointer_of(at.metadata, where)
            refuse_other_plan(self.pointer.plan, self.job.plan_hash, where)
        elif at.offset is not None and at.offset > 0:
            if at.kept:
                pointer_of("", where)
            self.next = at.log_start  # nothing is trimmed there: all frames are folded again
        self._refuse_lost(at, where)
        return where

    def _refuse_lost(self, at: Position, where: str) -> None:
        if not at.log_start <= self.next <= at.log_end:
            raise IntegrityError(
                f"{where}: the stored position {self.next} lies outside the log, which holds {at.log_start} to "
                f"{at.log_end}: the topic was truncated or recreated; nothing was reset. Restore it, or start a new "
                "consumer group with new topics"
            )
        if at.offset is None and at.log_start > 0:
            raise IntegrityError(
                f"{where}: the group has no position, but the log begins at {at.log_start}: it was in use, and the "
                "group's offsets have expired or were deleted; recover from the logs, or start with new topics"
            )

    async def _restore_as_owner(self, where: str) -> tuple[Record, ...]:
        """Who was slow may have been replaced, and its state trimmed meanwhile: then the commit says so."""
        try:
            return await self._restore(where)
        except IntegrityError:
            await self._port.commit(self.next, to_text(self.pointer))
            raise

    async def _restore(self, where: str) -> tuple[Record, ...]:
        """Put the state together; what was published last."""
        pointer = self.pointer
        if pointer.first < 0:
            return ()
        records = await self._port.read_state(pointer.base, pointer.last)
        stored = chain(records, pointer.first, pointer.base, where)
        for one in stored:
            core.apply(self.job, self.state, one.delta)
        if self.state.number != pointer.number:
            raise IntegrityError(
                f"{where}: the pointer names checkpoint {pointer.number}, the state log holds {self.state.number}: it "
                f"was trimmed or recreated; {FOREIGN}"
            )
        self._turns.restored(pointer.base, [len(one.delta) for one in stored])
        self.more = core.waiting(self.state)  # no further frame need come
        return stored[-1].outputs

    @property
    def account(self) -> dict[int, Account]:
        """The account that this partition keeps, by source partition."""
        return self.state.account

    def take(self, run: FrameRun) -> tuple[int, int]:
        """Fold frames that follow those taken before; (rows, cells) of window sections that came as rows, as partials.

        Those of frames that had come before are left out.
        """
        rows = cells = 0
        for data in run.frames:
            frame = decode(data)
            if core.fold(self.job, self.state, frame):
                own = [part for number, part in frame.parts if number < len(self.job.sections)]
                rows += sum(len(part) for part in own if isinstance(part, RowsPart))
                cells += sum(len(part) for part in own if isinstance(part, PartialsPart))
            self._updated |= bool(frame.parts)
            self._urgent |= bool(frame.parts) or frame.ended
        self.next = run.end
        self._moved, self.rests = True, None
        return rows, cells

    @property
    def due(self) -> bool:
        """Whether a checkpoint would say anything new."""
        return self._moved or self.more

    @property
    def urgent(self) -> bool:
        """Whether a checkpoint would hold more than how far sources have come: cells, or that one has ended."""
        return self._urgent or self.more

    @property
    def closing(self) -> bool:
        """Whether a checkpoint would close windows: somebody waits for them."""
        return self.more or core.closing(self.state)

    @property
    def updating(self) -> bool:
        """Whether a checkpoint would publish updates of open windows."""
        return self._updated and self._publishes_updates

    async def checkpoint(self) -> list[Results]:
        """Make what was folded durable, then publish; the results that were published.

        Frames may be folded while this waits for the outside: they belong to the next checkpoint.
        """
        before = self.pointer
        position, kept, results = await self._write()
        text = to_text(self.pointer)
        await self._port.commit(position, text)
        self.kept = kept
        if not self._moved:
            self.rests = (position, text)
        if self._last:
            await self._port.publish(self._last)
        await self._port.trim(position, max(before.base, 0))
        return results

    async def _write(self) -> tuple[int, Kept, list[Results]]:
        """A checkpoint in the state log, which `pointer` now names: the position it belongs to, and what it holds."""
        cells = sum(t.count for t in self.state.tables) + sum(m.keys.count for m in self.state.models)
        before, position = self.pointer, self.next
        done = core.durable_checkpoint(self.job, self.state, self._turns.next(cells), self._limits.closed_at_once)
        ended, oldest, kept = self.state.ended and not done.more, self._oldest(), kept_of(self.state)
        upto = sum(progress.next for progress in self.state.progress.values())
        self._moved, self._updated, self._urgent, self.more, self.rests = False, False, False, done.more, None
        self._last = self._outputs(done)
        parts = parts_of(
            Stored(done.delta, self._last), self._incarnation, done.number, before, self._limits.part_bytes
        )
        offsets = await self._port.append_state(parts)
        first, last = offsets[0], max(offsets)
        self._turns.written(first, sum(map(len, parts)))
        plan, base = self.job.plan_hash, self._turns.base
        self.pointer = Pointer(plan, first, last, base, done.number, ended, upto, oldest)
        return position, kept, done.results

    def _outputs(self, done: Checkpoint) -> tuple[Record, ...]:
        """What a checkpoint publishes."""
        return (*records_of(done.results), *event_records(done.events))

    def _oldest(self) -> int | None:
        """When the first open window ends, the first waiting row is to be scored, or silence says something."""
        ends = [end for t in self.state.tables if (end := t.oldest_end()) is not None]
        ends += [time for m in self.state.models if (time := m.oldest()) is not None]
        return min(ends, default=None)
