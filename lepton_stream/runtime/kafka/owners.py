"""The tasks that own partitions: one each, fed by the agents, ended when the group moves on."""

from __future__ import annotations

import asyncio

from lepton_stream import clock
from lepton_stream.autopilot.seen import FoldSeen
from lepton_stream.chunk import Chunk, join
from lepton_stream.memory.held import held_by
from lepton_stream.protocol.merger import Merger
from lepton_stream.protocol.ports import FrameRun, Position
from lepton_stream.protocol.preparer import Preparer
from lepton_stream.runtime.kafka.inbox import Inbox, memory_of, stamp_of, weight
from lepton_stream.runtime.kafka.keeper import SOON_S, Keeper
from lepton_stream.runtime.kafka.linger import PARTS, claim_due
from lepton_stream.runtime.kafka.measure import ShuffleMeasure, SourceMeasure
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.ports import KafkaMergePort, KafkaSourcePort
from lepton_stream.runtime.kafka.recovery import refuse_other_sources
from lepton_stream.runtime.kafka.shrinking import Shrinking
from lepton_stream.telemetry.catalogue import CHECKPOINT, RESTORED
from lepton_stream.telemetry.facts import tell


class SourceOwner:
    """Feeds a `Preparer`. `run`: the name of a run that ends where the log ends now, None if it has no end."""

    def __init__(
        self,
        preparer: Preparer,
        outside: Outside,
        inbox: Inbox,
        port: KafkaSourcePort,
        keeper: Keeper,
        *,
        run: str | None,
    ) -> None:
        self.preparer, self.inbox, self.port = preparer, inbox, port
        port.complete = preparer.settle
        preparer.job = preparer.job.timed_by(port.steps.lap)
        self._outside, self._source = outside, preparer.job.plan.source
        self._run, self._keeper, self._in_hand = run, keeper, 0
        self._quiet_since = clock.elapsed_s()
        self._rests_until = self._quiet_since
        self.next_close = outside.closes.begin(preparer.source, preparer.job.plan.windows)
        self.measure = SourceMeasure(outside.meter)
        self._shrinking = Shrinking(preparer.source)
        self._begun = False

    @property
    def restored(self) -> bool:
        """Whether the partition goes on where its last owner was."""
        return self._begun and self.preparer.restored

    async def begin(self, at: Position, before: Owner | None) -> int:
        """Where to read from. `before`: the partition's last owner in this worker."""
        start = self._start(at, before)
        self._begun = True
        self._note_restored()
        return start

    def _start(self, at: Position, before: Owner | None) -> int:
        old = before.preparer if isinstance(before, SourceOwner) else None
        era = self._outside.view.era
        if self._run is None:
            return self.preparer.begin(at, before=old, era=era)
        return self.preparer.begin(at, at.log_end, self._run, old, era)

    async def run(self) -> None:
        """Until the inbox is closed."""
        limits = self._outside.limits
        await self.preparer.settle()
        while not self.inbox.closed:
            await self.inbox.wait(max(self._settle_left(), 0.0) if self.preparer.owed else limits.watch_s)
            if self._keeper.step.over:
                await self.preparer.settle()
                await asyncio.sleep(SOON_S)
                continue
            most = min(limits.claim_bytes, self._keeper.shares.claim_bytes, self.port.pace.bytes)
            await self._gather(most)
            since, chunks = self.inbox.since, self.inbox.take(most)
            if since is not None and chunks:
                began, chunk = clock.elapsed_s(), join(chunks)
                self._in_hand = memory_of(chunk)
                self.next_close.taken(began, stamp_of(chunk))
                self.preparer.routes = self._outside.setting.routes
                with self.port.steps.step(len(chunk), began - since):
                    await self.preparer.take(chunk)
                self._in_hand = 0
                self.note()
                self.measure.prepared(chunk, began)
                self._note_restored()
                self._quiet_since = now = clock.elapsed_s()
                self.next_close.seen(self.preparer.state.high, self.inbox.taken_s, stamp_of(chunk))
                self._rests_until = self.next_close.rest_until(now, limits.rest_s(now - began))
            if self.inbox.empty and self._outside.keeps_metadata:
                self._shrinking.look(self._outside.view.seen, self.preparer.done)
            if self.inbox.empty and (self.preparer.at_end or self._settle_left() <= 0):
                await self.preparer.settle()
                await self._maybe_quiet()
        await self.preparer.settle()

    async def _gather(self, most: int) -> None:
        """Wait for more behind the first record that waits; what was sent is completed meanwhile as at any time."""
        while (left := self._gather_left(most)) > 0:
            if self.preparer.owed and self._settle_left() <= 0:
                await self.preparer.settle()
                continue
            settle_s = self._settle_left() if self.preparer.owed else left
            await self.inbox.more(min(left, settle_s, self._outside.limits.watch_s))

    def _gather_left(self, most: int) -> float:
        """Seconds for which more may come: none where enough is there, nothing more can come, or memory is short.

        Nor where a window may close. After a step comes a short rest, which ends there, too.
        """
        inbox, end = self.inbox, self.preparer.end
        if inbox.since is None or inbox.closed or inbox.paused or inbox.bytes >= most:
            return 0.0
        if not self.preparer.restored or (end is not None and inbox.end >= end) or self._keeper.step.pause:
            return 0.0
        if self.next_close.hoped(inbox.stamp_us):
            return 0.0
        flush_s, much = self._outside.setting.flush_s, PARTS * inbox.bytes >= most
        due_s = claim_due(inbox.since, flush_s, self.next_close, much=much)
        return max(due_s, self._rests_until) - clock.elapsed_s()

    def _settle_left(self) -> float:
        """Seconds for which the next records may come and complete the range that is sent."""
        return self._quiet_since + self._outside.limits.settle_s - clock.elapsed_s()

    async def give_back(self) -> None:
        """End: the task finishes its step and completes the range."""
        self.port.stopping = True
        self.inbox.close()

    async def release(self) -> None:
        """Nothing is held."""

    @property
    def waiting(self) -> int:
        """Bytes that wait, are worked on, or are sent and not acknowledged."""
        return self.inbox.bytes + self._in_hand + self.port.unsent

    def note(self) -> None:
        """Tell the keeper how large the dedup memory is."""
        memory = self.preparer.state.dedup
        if memory is not None:
            self._keeper.note(self.preparer.source, held_by([memory], []))

    def _note_restored(self) -> None:
        if self.preparer.restored and self.measure.restored():
            tell(
                RESTORED,
                topic=self.preparer.source.topic,
                partition=self.preparer.source.partition,
                forgotten=self.preparer.forgotten,
            )

    async def _maybe_quiet(self) -> None:
        """A source that was read to its end and said nothing for a while lets time pass, as long as windows wait."""
        timeout = self._source.idle_timeout_us
        quiet_us = (clock.elapsed_s() - self._quiet_since) * 1e6
        view = self._outside.view
        if self._source.idle != "advance" or quiet_us < timeout or not self._outside.windows_open():
            return
        if view.seen.ends.get(self.preparer.source, 0) > self.preparer.done:  # written, and not read yet
            return
        now = self._outside.time.now_us()
        if now is not None:
            await self.preparer.quiet(now - timeout)
        else:
            await self.preparer.greet()


class ShuffleOwner:
    """Feeds a `Merger`, and lets it make checkpoints."""

    def __init__(self, merger: Merger, outside: Outside, inbox: Inbox, port: KafkaMergePort, keeper: Keeper) -> None:
        self.merger, self.inbox, self.port = merger, inbox, port
        self._outside, self._keeper = outside, keeper
        self._folded = 0
        self._last = clock.elapsed_s()
        self._took = (0.0, 0.0)
        """Seconds that the last two checkpoints took."""
        self._was_waited_for = False
        self.measure = ShuffleMeasure(outside.meter)

    @property
    def restored(self) -> bool:
        """Whether the state is as the last owner left it."""
        return self.measure.restored

    async def begin(self, at: Position, before: Owner | None) -> int:
        """Take over; where to read from. `before`: the partition's last owner in this worker."""
        start = await self.merger.begin(at, before.merger if isinstance(before, ShuffleOwner) else None)
        refuse_other_sources(self._outside, self.merger.state.progress.keys())
        self.measure.begun()
        tell(
            RESTORED,
            topic=self.merger.partition.topic,
            partition=self.merger.partition.partition,
            checkpoint=self.merger.pointer.number,
        )
        return start

    async def run(self) -> None:
        """Until the inbox is closed."""
        limits = self._outside.limits
        while not self.inbox.closed:
            left = self._left()
            if self.merger.due and left <= 0:
                await self._checkpoint()
                continue
            if self._keeper.step.over:
                await asyncio.sleep(SOON_S)
                continue
            await self.inbox.wait(left if self.merger.due else limits.watch_s)
            for chunk in self.inbox.take():
                began = clock.elapsed_s()
                self._fold(chunk)
                self._folded += weight(chunk)
                if self.merger.urgent:  # frames without rows take nothing
                    self.note()
                self.measure.folded(began)
                await asyncio.sleep(0)  # heartbeats and fetches go on between frames
        if self.merger.due:
            await self._checkpoint()

    def _fold(self, chunk: Chunk) -> None:
        """Hand the frames on, and tell what they took."""
        outside = self._outside
        began_s, frames = outside.loop_cpu.read(), [v or b"" for v in chunk.values.to_list()]
        came = self.merger.take(FrameRun(chunk.offsets, frames, chunk.end))
        took_s = outside.loop_cpu.read() - began_s
        outside.loop_cpu.told(took_s)
        outside.note_folded(FoldSeen(len(frames), *came, weight(chunk), took_s))

    def _left(self) -> float:
        """Seconds until the next checkpoint: none where memory is short, or where it would publish very much."""
        step, shares = self._keeper.step, self._keeper.shares
        if step.over or self._folded >= shares.folded_bytes:
            return 0.0
        since_s = clock.elapsed_s() - self._last
        return self._pause(since_s, flush=step.flush) - since_s

    @property
    def _is_waited_for(self) -> bool:
        """Whether somebody waits for the results of the next checkpoint."""
        return self.merger.closing or self.merger.updating

    def _pause(self, since_s: float, *, flush: bool) -> float:
        """Checkpoints may take a twentieth of the time: the busier broker and worker are, the rarer they are.

        Those that somebody waits for may take a fifth by themselves, and others keep out of the way where a window may
        close. The quicker of the last two says how long one takes: who was held up once makes none rarer. `since_s`:
        seconds since the last checkpoint.
        """
        limits, share = self._outside.limits, 0.0 if flush else min(self._took)
        if self._is_waited_for:
            return min(max(limits.soon_s, 4 * share), limits.checkpoint_most_s) if self._was_waited_for else 0.0
        if not self.merger.urgent:
            return limits.checkpoint_most_s
        pause_s = min(max(limits.checkpoint_s, 20 * share), limits.checkpoint_most_s)
        if flush or since_s < pause_s:
            return pause_s
        return min(since_s + self._outside.closes.near_s(), 2 * limits.checkpoint_most_s)

    async def _checkpoint(self) -> None:
        began = clock.elapsed_s()
        self._folded, self._was_waited_for = 0, self._is_waited_for
        results = await self._outside.loop_cpu.apart(self.merger.checkpoint())
        self.note()
        self._last = clock.elapsed_s()
        now_us = self._outside.time.now_us() or clock.now_us()
        self.measure.completed(results, self._last - began, now_us)
        self._outside.note_results(results, now_us)
        tell(
            CHECKPOINT,
            topic=self.merger.partition.topic,
            partition=self.merger.partition.partition,
            checkpoint=self.merger.pointer.number,
            results=sum(map(len, results)),
            seconds=round(self._last - began, 3),
        )
        self._took = self._took[1], self._last - began

    async def give_back(self) -> None:
        """End: the task finishes its step and makes a last checkpoint."""
        self.inbox.close()

    async def release(self) -> None:
        """Let go of connections."""
        await self.port.close()

    @property
    def waiting(self) -> int:
        """Bytes that wait, or are sent and not acknowledged."""
        return self.inbox.bytes + self.port.unsent

    @property
    def settled(self) -> bool:
        """Whether no checkpoint is due that could set memory free."""
        return not (self.restored and self.merger.due)

    def note(self) -> None:
        """Tell the keeper how large the tables of windows, models and alarms are."""
        self._keeper.note(self.merger.partition, held_by([], self.merger.state.holders))


Owner = SourceOwner | ShuffleOwner
