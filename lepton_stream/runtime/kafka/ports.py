"""The owners' ports on a real broker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from lepton_stream import clock
from lepton_stream.autopilot.seen import PrepareSeen
from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.columns import Index
from lepton_stream.core import Prepared
from lepton_stream.protocol.ports import Record as Result
from lepton_stream.runtime.kafka.bulk import Bulk, packed_headers
from lepton_stream.runtime.kafka.compress import BY_NAME
from lepton_stream.runtime.kafka.errors import StaleOwner
from lepton_stream.runtime.kafka.fenced import FencedProducer
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.inbox import memory_of
from lepton_stream.runtime.kafka.letters import dead_letters
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.pace import Pace
from lepton_stream.runtime.kafka.produce import Record
from lepton_stream.runtime.kafka.steps import SourceSteps
from lepton_stream.telemetry.catalogue import PREPARED


class KafkaSourcePort:
    """Outside of the owner of a source partition, under the identity that it began with."""

    def __init__(self, outside: Outside, tp: SourcePartition, identity: Identity) -> None:
        self._outside, self._tp, self._identity = outside, tp, identity
        self.stopping = False
        self.pace = Pace()
        self.steps = SourceSteps(outside.loop_cpu, outside.job.lap, self._note)
        self._awake_s = outside.loop_cpu.read()
        self.unsent = 0
        """Bytes of frames that are not acknowledged yet."""
        self.complete: Callable[[], Awaitable[None]] | None = None
        """Commits what was sent: who waits must not look slower to the others, and to itself, than it is."""

    def _note(self, seen: PrepareSeen) -> None:
        self._outside.note_prepared(replace(seen, source=self._tp.partition))  # whoever listens now

    async def commit(self, offset: int, metadata: str) -> None:
        """Through the worker's one committer."""
        await self._outside.committer.commit(self._tp, offset, metadata, self._identity)
        self._awake_s = self.steps.claimed()

    async def send(self, frames: Sequence[bytes]) -> None:
        """Frame i into shuffle partition i, compressed as the setting wants it now; every batch says how it is."""
        shuffle = self._outside.names.shuffle
        self.unsent = sum(map(len, frames))
        acks = await self._outside.producer.send_all(
            (Record(SourcePartition(shuffle, p), frame) for p, frame in enumerate(frames)),
            self.steps.packing(self.unsent, BY_NAME[self._outside.setting.codec]),
        )
        self.unsent = 0
        self._outside.time.learn(acks)
        self._outside.view.sent([len(frame) for frame in frames])

    async def set_aside(self, chunk: Chunk, prepared: Prepared) -> None:
        """Dead letters and late records into their topics; both keep the record's partition number."""
        plan, names, s = self._outside.job.plan, self._outside.names, chunk.source.partition
        self._outside.meter.add(PREPARED, len(chunk))
        bulks: dict[SourcePartition, Bulk] = {}
        now_ms, raw = clock.now_us() // 1000, plan.sets_aside_raw
        if prepared.rejects:
            letters = dead_letters(chunk, prepared.rejects, plan.name, plan.version, now_ms, raw=raw)
            bulks[SourcePartition(names.dead_letters, s)] = letters
        if len(prepared.late):
            bulks[SourcePartition(names.late, s)] = late_records(chunk, prepared.late, raw=raw)
        self.steps.lap("dead letters")
        now_s = self._outside.loop_cpu.read()
        self.pace.note(memory_of(chunk), now_s - self._awake_s)  # all since the claim was one step
        self.steps.prepared(prepared, now_s)
        if bulks:
            await self._outside.producer.send_bulk(bulks)

    async def admitted(self, high: int) -> None:
        """Back-pressure, by what the group's commits tell. Raises StaleOwner if the partition goes meanwhile."""
        view = self._outside.view
        if self.complete is not None and not view.may_claim(high):
            await self.complete()
        while not view.may_claim(high):
            if self.stopping:
                raise StaleOwner(f"{self._tp.topic} partition {self._tp.partition} was given back")
            await view.next_look()


LATE_PLACE = "lepton.late.place"
"""Of a late record that is withheld: where it is in the source topic, as `partition/offset`."""


def late_records(chunk: Chunk, late: Index, *, raw: bool = True) -> Bulk:
    """Late records as they came; without `raw` only where they are. `late`: their offsets."""
    rows = chunk.offsets.searchsorted(late)
    if not raw:
        s, none = chunk.source.partition, [None] * len(rows)
        places = [packed_headers([(LATE_PLACE, b"%d/%d" % (s, offset))]) for offset in late.tolist()]
        return Bulk(none, none, chunk.timestamp[rows] // 1000, places)
    keys = [None] * len(rows) if chunk.keys is None else chunk.keys.pick(rows).to_list()
    headers = None if chunk.headers is None else [packed_headers(chunk.headers[row]) for row in rows.tolist()]
    return Bulk(keys, chunk.values.pick(rows).to_list(), chunk.timestamp[rows] // 1000, headers)


class KafkaMergePort:
    """Outside of the owner of a shuffle partition, under the identity that it began with."""

    def __init__(self, outside: Outside, tp: SourcePartition, identity: Identity) -> None:
        self._outside, self._tp, self._identity = outside, tp, identity
        self._state = SourcePartition(outside.names.state, tp.partition)
        self._results = SourcePartition(outside.names.results, tp.partition)
        self._events = SourcePartition(outside.names.events, tp.partition)
        self._publisher: FencedProducer | None = None
        self.unsent = 0
        """Bytes of results that are not acknowledged yet."""

    async def commit(self, offset: int, metadata: str) -> None:
        """Through the worker's one committer."""
        await self._outside.committer.commit(self._tp, offset, metadata, self._identity)

    async def take_epoch(self) -> None:
        """A producer of our own under the partition's transactional id."""
        await self.close()
        self._publisher = self._outside.publisher(self._tp.partition)
        await self._publisher.open()

    async def append_state(self, parts: Sequence[bytes]) -> list[int]:
        """One after the other."""
        acks = await self._outside.producer.send_all(Record(self._state, part) for part in parts)
        return [ack.offset for ack in acks]

    async def read_state(self, first: int, last: int) -> list[tuple[int, bytes]]:
        """Outside the group."""
        return await self._outside.read_state(self._tp.partition, first, last)

    async def publish(self, records: Sequence[Result]) -> None:
        """Refused (Fenced) once a later owner has published."""
        assert self._publisher is not None, "take_epoch comes first"
        self.unsent = sum(len(r.key) + len(r.value or b"") for r in records)
        bulks = {}
        for tp, event in ((self._results, False), (self._events, True)):
            own = [r for r in records if r.event == event]
            if own:
                bulks[tp] = Bulk([r.key for r in own], [r.value for r in own], clock.now_us() // 1000)
        await self._publisher.send_bulk(bulks)
        self.unsent = 0
        self._outside.last_result_s, self._outside.last_result_cpu_s = clock.elapsed_s(), clock.cpu_s()

    async def trim(self, shuffle_below: int, state_below: int) -> None:
        """Noted; the worker trims now and then."""
        if self._outside.keeps_metadata:
            self._outside.trims[self._tp] = shuffle_below
            self._outside.trims[self._state] = state_below

    async def close(self) -> None:
        """Let go of the producer."""
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            await publisher.close()
