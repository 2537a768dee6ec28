"""What a run over files tells of itself while it goes: once a chunk it is noted, twice a second it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from lepton_stream import clock
from lepton_stream.account import Account, AccountData
from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.core import PartitionState
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.meter import Labels, Meter, Samples
from lepton_stream.telemetry.snapshot import Kept, Snapshot, path_now
from lepton_stream.windows.watermark import NEVER, watermark

EVERY_S = 0.5


class LocalTelling:
    """Notes chunks, and tells in whose hands it was put. `tell` must not wait."""

    def __init__(self, tell: Callable[[Snapshot], None]) -> None:
        self._tell, self._meter = tell, Meter()
        self._number = 0
        self._told = -EVERY_S
        self._meter.declare(c.BYTES_READ, [()])
        self._meter.declare(c.PREPARED, [()])

    def prepared(self, chunk: Chunk, began: float) -> None:
        """A chunk was prepared; it was taken up at `began`."""
        self._meter.observe(c.CHUNK_SECONDS, clock.elapsed_s() - began, "prepare")
        self._meter.observe(c.CHUNK_RECORDS, len(chunk))
        self._meter.add(c.PREPARED, len(chunk))
        self._meter.add(c.BYTES_READ, chunk.values.weight)

    def merged(self, began: float) -> None:
        """Its frames were folded, and windows closed."""
        self._meter.observe(c.CHUNK_SECONDS, clock.elapsed_s() - began, "merge")

    def look(
        self,
        accounts: Mapping[SourcePartition, Account],
        states: Sequence[PartitionState],
        stages: Mapping[str, float],
        *,
        last: bool = False,
    ) -> None:
        """Tell, if it is time. `last`: it is."""
        now = clock.elapsed_s()
        if now - self._told < EVERY_S and not last:
            return
        self._told, self._number = now, self._number + 1
        results: Counter[str] = Counter({t.section.window.name: 0 for state in states for t in state.tables})
        scored = Counter({m.section.model.name: 0 for state in states for m in state.models})
        events = scored.copy()
        for state in states:
            results.update(state.by_window)
            scored.update(state.scored)
            events.update(state.events)
        told: dict[Labels, AccountData] = {(s.topic, str(s.partition)): a.to_dict() for s, a in accounts.items()}
        kept = Kept(self._number, told, dict(results), dict(scored), dict(events))
        counters = self._meter.counters()
        counters[c.STAGE_CPU.name] = {(stage,): seconds for stage, seconds in stages.items()}
        counters[c.PROCESS_CPU.name] = {(): clock.cpu_s()}
        histograms, gauges = self._meter.histograms(), _gauges(states)
        self._tell(
            Snapshot(
                joined=True,
                may_wait=True,
                path=path_now(),
                kept={0: kept},
                gauges=gauges,
                counters=counters,
                histograms=histograms,
            )
        )


def _gauges(states: Sequence[PartitionState]) -> Samples:
    gauges: Samples = {metric.name: {} for metric in (c.STATE_BYTES, c.STATE_GROUPS, c.WATERMARK)}
    for p, state in enumerate(states):
        gauges[c.STATE_BYTES.name][str(p),] = sum(table.bytes for table in state.holders)
        gauges[c.STATE_GROUPS.name][str(p),] = sum(table.cells for table in state.tables)
        mark = watermark(state.progress.values())
        if mark > NEVER:
            gauges[c.WATERMARK.name][str(p),] = mark / 1e6
    return gauges
