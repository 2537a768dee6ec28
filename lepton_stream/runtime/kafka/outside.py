"""Everything outside that the owners of one worker share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from lepton_stream.autopilot.decision import Decision
from lepton_stream.autopilot.seen import FoldSeen, PrepareSeen
from lepton_stream.autopilot.setting import Setting
from lepton_stream.chunk import SourcePartition
from lepton_stream.core import Job
from lepton_stream.pipeline.names import Names
from lepton_stream.protocol.ports import Position
from lepton_stream.runtime.kafka.broker_time import BrokerTime
from lepton_stream.runtime.kafka.closes import Closes
from lepton_stream.runtime.kafka.committer import Committer
from lepton_stream.runtime.kafka.compress import Compression
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.deciding import Deciding
from lepton_stream.runtime.kafka.fenced import FencedProducer, producer_id
from lepton_stream.runtime.kafka.group import Group
from lepton_stream.runtime.kafka.limits import Limits
from lepton_stream.runtime.kafka.logs import Logs
from lepton_stream.runtime.kafka.produce import Producer
from lepton_stream.runtime.kafka.reader import end_behind, read_range
from lepton_stream.runtime.kafka.steps import LoopCpu, Packer
from lepton_stream.runtime.kafka.view import View
from lepton_stream.runtime.kafka.wire import Wire
from lepton_stream.telemetry.catalogue import BYTES_SENT, DECISIONS
from lepton_stream.telemetry.meter import Meter
from lepton_stream.windows.results import Results


@dataclass(slots=True)
class Outside:
    """`keeps_metadata`, `fencing`: what the broker can do. `trims`: where logs may be cut, by partition.

    `setting`: how source owners go about it; may be changed at any time, their next claims follow.
    `note_prepared`, `note_folded`: told what each step of the owners took; `note_results`: results that can be read,
    and when, by the broker's clock. They must be quick.
    `own_windows_open`: whether a window of this worker's own partitions waits to be closed.
    `first_chunk_s`, `last_result_s`: when they came and went, on the clock that only goes forward; `..._cpu_s`: the CPU
    that this process had used by then.
    """

    connection: Connection
    job: Job
    names: Names
    wire: Wire
    group: Group
    logs: Logs
    view: View
    committer: Committer
    producer: Producer
    limits: Limits
    keeps_metadata: bool
    fencing: bool
    time: BrokerTime
    deciding: Deciding
    setting: Setting
    trims: dict[SourcePartition, int] = field(default_factory=dict)
    own_windows_open: Callable[[], bool] = lambda: False
    loop_cpu: LoopCpu = field(default_factory=LoopCpu)
    note_prepared: Callable[[PrepareSeen], None] = lambda _: None
    note_folded: Callable[[FoldSeen], None] = lambda _: None
    note_results: Callable[[Sequence[Results], int], None] = lambda _results, _now_us: None
    first_chunk_s: float | None = None
    last_result_s: float | None = None
    first_chunk_cpu_s: float = 0.0
    last_result_cpu_s: float = 0.0
    meter: Meter = field(default_factory=Meter)
    closes: Closes = field(default_factory=Closes)

    def __post_init__(self) -> None:
        """What is sent for the pipeline is counted, and what is decided."""
        self.producer.note_sent = self._note_sent
        self.deciding.note, self.deciding.note_sent = self._note_decision, self._note_sent
        self.producer.compression = Packer(self.loop_cpu, self.producer.compression)

    def _note_sent(self, topic: str, size: int) -> None:
        self.meter.add(BYTES_SENT, size, topic)

    def _note_decision(self, decision: Decision) -> None:
        self.meter.add(DECISIONS, 1, decision.knob, decision.choice)

    def publisher(self, partition: int) -> FencedProducer:
        """A producer for the results of a shuffle partition, not opened yet."""
        identifier, packer = producer_id(self.names.group, partition), Packer(self.loop_cpu, Compression())
        made = FencedProducer(self.connection, identifier, self.wire, fencing=self.fencing, compression=packer)
        made.note_sent = self._note_sent
        return made

    async def exact_ends(self, partitions: Iterable[SourcePartition]) -> dict[SourcePartition, int]:
        """Where the logs end. The embedded broker tells where the last batch starts: there we look behind it."""
        ends = await self.logs.ends(partitions)
        if self.keeps_metadata:
            return ends
        seen = await asyncio.gather(*(end_behind(self.connection, tp, end) for tp, end in ends.items()))
        return dict(zip(ends, seen, strict=True))

    async def positions(self, partitions: Collection[SourcePartition]) -> dict[SourcePartition, Position]:
        """Where partitions stand. In this order, since others may be at work: logs grow before what is committed."""
        starts = await self.logs.starts(partitions)
        committed = await self.group.committed(partitions)
        ends = await self.exact_ends(partitions)
        positions = {}
        for tp in partitions:
            found = committed[tp]
            offset, metadata = (found.offset, found.metadata) if found else (None, None)
            positions[tp] = Position(offset, metadata, starts[tp], ends[tp], self.keeps_metadata)
        return positions

    async def read_state(self, partition: int, first: int, last: int) -> list[tuple[int, bytes]]:
        """(offset, part) of the records [first, last] of a state log, as far as it has them, read outside the group."""
        tp = SourcePartition(self.names.state, partition)
        start, end = (await self.logs.starts([tp]))[tp], (await self.logs.ends([tp]))[tp]
        found: list[tuple[int, bytes]] = []
        async for chunk in read_range(self.connection, tp, max(first, start), min(last + 1, end)):
            found += zip(chunk.offsets.tolist(), (value or b"" for value in chunk.values.to_list()), strict=True)
        return [(offset, part) for offset, part in found if offset <= last]

    def windows_open(self) -> bool:
        """Whether any window waits to be closed, by the group's pointers; where none are kept, by our own state."""
        return self.view.windows_open if self.keeps_metadata else self.own_windows_open()

    async def trim(self) -> None:
        """Cut the logs where they may be cut."""
        trims, self.trims = self.trims, {}
        below = {tp: offset for tp, offset in trims.items() if offset > 0}
        if below:
            await self.logs.trim(below)

    async def watch(self) -> None:
        """Look at the group, again and again."""
        looks = 0
        while True:
            await self.view.look()
            looks += 1
            if looks % 10 == 0:
                await self.trim()
            await asyncio.sleep(self.limits.watch_s)
