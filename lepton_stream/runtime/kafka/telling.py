"""What a worker tells about itself, once a second: taken in its event loop in well under a millisecond a partition."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from lepton_stream import clock
from lepton_stream.account import Account
from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.autopilot_gauges import decision_gauges, setting_gauges
from lepton_stream.runtime.kafka.balancing import Balancer
from lepton_stream.runtime.kafka.keeper import Keeper, resident_bytes
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.owners import Owner, ShuffleOwner, SourceOwner
from lepton_stream.runtime.kafka.steps import OTHER
from lepton_stream.runtime.kafka.timestamps import NewestTimes
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.meter import Labels, Samples
from lepton_stream.telemetry.rising import Rising
from lepton_stream.telemetry.snapshot import Kept, Snapshot, path_now
from lepton_stream.windows.watermark import NEVER, watermark

TICK_S, TICKS = 0.1, 10
LOOKS = 2
"""Newest timestamps are asked for with every second snapshot, while something waits."""


@dataclass(frozen=True, slots=True)
class Telling:
    """To whom a worker tells. `tell` must not wait. `stages`: CPU seconds by stage. `worker`: its number."""

    tell: Callable[[Snapshot], None]
    stages: Mapping[str, float] = field(default_factory=dict)
    worker: int = 0


class Teller:
    """Takes snapshots of a worker's owners."""

    def __init__(self, outside: Outside, telling: Telling, keeper: Keeper, balancer: Balancer) -> None:
        self._outside, self._telling, self._keeper, self._balancer = outside, telling, keeper, balancer
        self._newest_times = NewestTimes(outside.wire)
        self._newest: dict[SourcePartition, int] = {}
        self._looking: asyncio.Task[None] | None = None
        self._rising = Rising(clock.elapsed_s)
        self.joined = False
        outside.meter.declare(c.REBALANCES, [()])
        outside.meter.declare(c.REFUSED_OWNERS, [()])
        outside.meter.declare(c.BYTES_READ, [()])
        outside.meter.declare(c.PREPARED, [()])
        names = outside.names
        sent_to = (names.shuffle, names.state, names.results, names.late, names.dead_letters)
        outside.meter.declare(c.BYTES_SENT, [(topic,) for topic in sent_to])
        windows = [(w.name,) for w in outside.job.plan.windows]
        outside.meter.declare(c.REPLAYED, windows)
        outside.meter.declare(c.EVENT_TO_RESULT, windows)

    async def run(self, owners: Callable[[], Mapping[SourcePartition, Owner]]) -> None:
        """Again and again, until cancelled."""
        number, delay = 0, 0.0
        try:
            while True:
                self.tell(owners(), delay)
                if number % LOOKS == 0 and (self._looking is None or self._looking.done()):
                    self._looking = asyncio.create_task(self._look(owners()))  # a broker that is away holds up nothing
                delay, number = await longest_step(), number + 1
        finally:
            if self._looking is not None:
                self._looking.cancel()
                await asyncio.gather(self._looking, return_exceptions=True)

    def tell(self, owners: Mapping[SourcePartition, Owner], delay: float = 0.0) -> None:
        """Take a snapshot and hand it on."""
        meter = self._outside.meter
        kept = dict(self._kept(owners))
        self._rising.look(account for one in kept.values() for account in one.accounts.items())
        self._outside.job.lap(OTHER)
        counters = meter.counters()
        counters[c.STAGE_CPU.name] = {(stage,): seconds for stage, seconds in self._telling.stages.items()}
        counters[c.PROCESS_CPU.name] = {(): clock.cpu_s()}
        snapshot = Snapshot(
            joined=self.joined,
            path=path_now(),
            restoring=tuple(f"{tp.topic}[{tp.partition}]" for tp, o in sorted(owners.items()) if not o.restored),
            kept=kept,
            gauges=self._gauges(owners, delay),
            counters=counters,
            histograms=meter.histograms(),
        )
        self._telling.tell(snapshot)

    async def _look(self, owners: Mapping[SourcePartition, Owner]) -> None:
        """How far the logs' own time goes, of our sources that have something waiting."""
        self._newest |= await self._newest_times.of(
            tp for tp, o in owners.items() if isinstance(o, SourceOwner) and self._waiting(o)
        )

    def _waiting(self, owner: SourceOwner) -> int | None:
        """Records that are not prepared, None before the first look at the log."""
        end = self._outside.view.seen.ends.get(owner.preparer.source)
        return None if end is None else max(0, end - owner.preparer.done)

    def _kept(self, owners: Mapping[SourcePartition, Owner]) -> Iterator[tuple[int, Kept]]:
        sources, of = self._outside.view.sources, self._outside.job.partitions
        windows = dict.fromkeys((w.name for w in self._outside.job.plan.windows), 0)
        models = dict.fromkeys((m.name for m in self._outside.job.plan.in_order), 0)
        for tp, owner in owners.items():
            if isinstance(owner, ShuffleOwner) and owner.restored and (kept := owner.merger.kept) is not None:
                none = Account().to_dict()
                accounts = {named(s): none for s in sources if s.partition % of == tp.partition}
                accounts |= {(sources[0].topic, str(s)): account for s, account in kept.accounts.items()}
                told = windows | dict(kept.results), models | dict(kept.scored), models | dict(kept.events)
                yield tp.partition, Kept(kept.number, accounts, *told)

    def _gauges(self, owners: Mapping[SourcePartition, Owner], delay: float) -> Samples:
        gauges: Samples = {metric.name: {} for metric in c.METRICS if metric.kind == "gauge"}
        worker = (str(self._telling.worker),)
        gauges[c.RESIDENT.name][worker] = resident_bytes()
        gauges[c.LOOP_DELAY.name][worker] = delay
        gauges |= self._keeper.gauges(*worker) | self._balancer.gauges(*worker, owners)
        gauges |= setting_gauges(*worker, self._outside.setting, [w.name for w in self._outside.job.plan.windows])
        gauges |= decision_gauges(*worker, self._outside.deciding.completed.values())
        for tp, owner in owners.items():
            if isinstance(owner, SourceOwner):
                self._source(owner, named(tp), gauges)
            elif owner.restored:
                self._shuffle(owner, (str(tp.partition),), gauges)
        return gauges

    def _source(self, owner: SourceOwner, label: Labels, gauges: Samples) -> None:
        waiting = self._waiting(owner)
        if waiting is not None:
            gauges[c.LAG_RECORDS.name][label] = waiting
        newest, ours = self._newest.get(owner.preparer.source), owner.measure.newest_us
        if waiting == 0:
            gauges[c.LAG_SECONDS.name][label] = 0.0
        elif newest is not None and ours is not None:
            gauges[c.LAG_SECONDS.name][label] = max(0, newest - ours) / 1e6
        memory = owner.preparer.state.dedup
        if memory is not None:
            gauges[c.DEDUP_BYTES.name][label] = memory.bytes
            gauges[c.DEDUP_IDS.name][label] = len(memory)
        gauges[c.FORGOTTEN.name][label] = owner.preparer.forgotten

    def _shuffle(self, owner: ShuffleOwner, label: Labels, gauges: Samples) -> None:
        state = owner.merger.state
        gauges[c.STATE_BYTES.name][label] = sum(table.bytes for table in state.holders)
        gauges[c.STATE_GROUPS.name][label] = sum(table.cells for table in state.tables)
        seen = self._outside.view.seen
        if owner.merger.partition in seen.ends:
            gauges[c.SHUFFLE_LAG.name][label] = seen.behind(owner.merger.partition)
        mark = watermark(state.progress.values())
        if mark > NEVER:
            gauges[c.WATERMARK.name][label] = mark / 1e6
        if owner.measure.checkpoint_us is not None:
            gauges[c.CHECKPOINT_TIMESTAMP.name][label] = owner.measure.checkpoint_us / 1e6


async def longest_step() -> float:
    """A second passes; by how much the loop was late at most."""
    delay = 0.0
    for _ in range(TICKS):
        began = clock.elapsed_s()
        await asyncio.sleep(TICK_S)
        delay = max(delay, clock.elapsed_s() - began - TICK_S)
    return delay


def named(tp: SourcePartition) -> Labels:
    """Topic and partition, as labels."""
    return tp.topic, str(tp.partition)
