"""The owner of one source partition: a range is claimed before it is sent, and a claimed range is rebuilt as it was."""

from __future__ import annotations

from collections.abc import Sequence

from lepton_stream import core
from lepton_stream.chunk import Chunk, SourcePartition, join
from lepton_stream.core import Job, Route, SourceState
from lepton_stream.errors import IntegrityError
from lepton_stream.protocol.ceiling import Ceiling
from lepton_stream.protocol.metadata import Claim, claim_of, refuse_other_plan, to_text
from lepton_stream.protocol.ports import Position, SourcePort
from lepton_stream.shuffle.frame import encode
from lepton_stream.windows.watermark import NEVER


class Preparer:
    """Begin, then take chunks in offset order; `settle` when nothing waits.

    Commits are (offset c, claim d): all before c is done, [c, d) may have been sent in part. Only after that commit
    frames of [c, d) leave; the next commit completes the range and may claim a further one.

    What a claimed range counts for is fixed by the log alone; how its rows travel is not: merge knows frames by their
    range, so an owner that redoes one may take other routes.
    """

    def __init__(self, job: Job, source: SourcePartition, port: SourcePort) -> None:
        self.job, self.source, self._port = job, source, port
        self.state = SourceState(job)
        self.routes: Sequence[Route] = job.routes
        """Of each window section; may be changed at any time, the next range that is sent follows."""
        self.done = 0
        """Everything before this offset is sent and acknowledged."""
        self.end: int | None = None
        self._next = 0
        self._claimed: int | None = None
        self._held: list[Chunk] = []
        self.owed = False
        """Whether a range is sent whole, and not yet completed in the group."""
        self._idle = NEVER
        self._idle_told = NEVER
        self.since = 0
        self.forgotten = 0
        """Offsets that the dedup memory should cover, and that retention has deleted."""
        self._end_told = False
        self.ceiling = Ceiling(job.plan.dead_letters)
        self._run = ""
        self._found: tuple[int, str] | None = None
        self.rests: tuple[int, str] | None = None
        """The commit that `state` belongs to, while nothing has been done since."""

    def begin(
        self, at: Position, until: int | None = None, run: str = "", before: Preparer | None = None, era: int = 0
    ) -> int:
        """The offset to read from: the dedup memory is rebuilt from what lies before the committed one.

        `until`: the run named `run` ends there, unless an earlier owner has fixed another end that it, or any run that
        is not finished, must come to. `before`: the owner that this worker had for the partition earlier, at rest for
        good; where the group has not moved since, its memory is taken over instead of being rebuilt. `era`: the number
        of the run (`era_of`), by which merge tells an end of this run from one of an earlier run. Raises IntegrityError
        where the log does not fit what was committed.
        """
        where = f"{self.source.topic} partition {self.source.partition}"
        claim = Claim(self.job.plan_hash)
        self.done = at.log_start
        if at.offset is not None and at.offset > 0 and not at.metadata:
            if at.kept:
                claim_of("", where)
            self.done = at.offset
        if at.offset is not None and at.metadata:
            claim = claim_of(at.metadata, where)
            refuse_other_plan(claim.plan, self.job.plan_hash, where)
            self.done = at.offset
        self._refuse_lost(at, claim, where)
        finished = claim.ended and claim.run != run
        self.end = until if until is None or claim.end is None or finished else claim.end
        self._run = run
        self._claimed = claim.claim if claim.claim is not None and claim.claim > self.done else None
        self.state.high, self._idle = claim.high, claim.idle
        self._next = self._reach_back(at, claim)
        if before is not None and before.rests is not None and before.rests == (at.offset, at.metadata):
            self.state, self.since, self._next = before.state, before.since, self.done
            self.ceiling = before.ceiling
            before.rests = None  # what was its state is moved on by us from here
        self.state.era = max(era, claim.era)
        self._found = (at.offset, at.metadata) if at.offset is not None and at.metadata else None
        self._note_rest()
        return self._next

    def _note_rest(self) -> None:
        """What the group has of us is what we are, once the memory is rebuilt and nothing is claimed."""
        if self._found is not None and self._claimed is None and self._next >= self.done:
            self.rests, self._found = self._found, None

    def _reach_back(self, at: Position, claim: Claim) -> int:
        """Where to read from so that the dedup memory is as it was, or as much of it as retention has left."""
        memory = self.job.plan.dedup_memory if self.state.dedup is not None else 0
        reach = max(claim.since, self.done - memory, 0)
        self.since = max(at.log_start, reach)
        self.forgotten = self.since - reach if at.offset is not None else 0
        return self.since

    def _refuse_lost(self, at: Position, claim: Claim, where: str) -> None:
        needed = max(self.done, claim.claim or 0)
        if self.done < at.log_start or needed > at.log_end:
            raise IntegrityError(
                f"{where}: the stored position {self.done} (claimed up to {needed}) lies outside the log, which holds "
                f"{at.log_start} to {at.log_end}: the topic was truncated, recreated, or its retention has passed us; "
                "nothing was reset. Restore the topic, or start a new consumer group to count what is left"
            )

    @property
    def restored(self) -> bool:
        """Whether the dedup memory is as it was, and what was claimed before us is done."""
        return self._claimed is None and self._next >= self.done

    @property
    def at_end(self) -> bool:
        """Whether the run's end was reached."""
        return self.end is not None and self.done >= self.end

    @property
    def finished(self) -> bool:
        """Whether the run's end was reached and told."""
        return self._end_told

    async def take(self, chunk: Chunk) -> None:
        """The records that follow those taken before."""
        if chunk.start != self._next:
            raise IntegrityError(
                f"{self.source.topic} partition {self.source.partition}: expected offset {self._next}, got "
                f"[{chunk.start}, {chunk.end}). This is a defect of the reading: nothing of it was counted; "
                "run again and report it"
            )
        self._next = chunk.end
        if chunk.start < self.done:
            known, chunk = chunk.cut(self.done)
            core.remember(self.job, self.state, known)
        self._note_rest()
        if self._claimed is not None:
            rest = await self._rebuild(chunk, self._claimed)
            if rest is None:
                return
            chunk = rest
        if self.end is not None:
            chunk, _ = chunk.cut(self.end)
        if chunk.end > chunk.start:
            await self._port.admitted(self.state.high)
            await self._commit(claim=chunk.end)
            await self._send(chunk)

    async def _rebuild(self, chunk: Chunk, claimed: int) -> Chunk | None:
        """Gather the claimed range whole, whatever pieces it comes in; the rest of the last piece, when it is."""
        head, rest = chunk.cut(claimed)
        if head.end > head.start:
            self._held.append(head)
        if self._next < claimed:
            return None
        whole, self._held, self._claimed = join(self._held), [], None
        await self._send(whole)
        return rest

    async def _send(self, chunk: Chunk) -> None:
        prepared = core.prepare(self.job, self.state, chunk, routes=self.routes)
        frames = [encode(frame) for frame in prepared.frames]
        self.job.lap("encode")
        self.ceiling.add(chunk, prepared.rejects)  # where it raises, nothing has left: the next owner redoes the range
        # Letters first: once commits have expired, a range whose frames are all there is not sent again.
        await self._port.set_aside(chunk, prepared)
        await self._port.send(frames)
        self.done, self.owed = chunk.end, True

    async def settle(self) -> None:
        """Nothing waits: complete the range that was sent last; at the run's end, say so."""
        if self._claimed is not None:
            return
        if self.owed or (self.at_end and not self._end_told):
            await self._commit(ended=self.at_end)
            self.owed = False
        if self.at_end and not self._end_told:
            await self._tell(ended=True)
            self._end_told = True

    async def quiet(self, mark: int) -> None:
        """The log has been read to its end and time has passed up to `mark` (µs) without records."""
        if mark <= self._idle_told or self._claimed is not None or self._next < self.done or self._end_told:
            return
        self._idle = mark = max(mark, self._idle)  # claimed by an owner before us, who may have told nobody
        await self._commit()  # the claim of idleness comes before it is told, so that only its owner tells it
        self.owed = False
        await self._tell(mark)
        self._idle_told = mark

    async def greet(self) -> None:
        """A heartbeat that says nothing new: its acknowledgement tells the broker's time."""
        if self._claimed is None and self._next >= self.done and not self._end_told:
            await self._tell(self._idle)

    async def _tell(self, idle: int = NEVER, *, ended: bool = False) -> None:
        s, high, era = self.source.partition, self.state.high, self.state.era
        frames = core.heartbeat(self.job, s, self.done, high, idle, ended=ended, era=era)
        await self._port.send([encode(frame) for frame in frames])

    async def _commit(self, *, claim: int | None = None, ended: bool = False) -> None:
        metadata = Claim(
            self.job.plan_hash,
            claim=claim,
            high=self.state.high,
            idle=self._idle,
            end=self.end,
            run="" if self.end is None else self._run,
            ended=ended,
            since=max(self.since, self.done - self.job.plan.dedup_memory),
            era=self.state.era,
        )
        text = to_text(metadata)
        self.rests = self._found = None
        await self._port.commit(self.done, text)
        self.rests = (self.done, text) if claim is None else None
