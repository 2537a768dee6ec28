"""What a crew's parent knows by itself: how far behind the group is, even while its workers are dead, and restarts."""

from __future__ import annotations

import asyncio

from lepton_stream.errors import LeptonError
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.telling import named
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.meter import Meter, Samples
from lepton_stream.telemetry.pipe import received
from lepton_stream.telemetry.snapshot import Snapshot
from lepton_stream.telemetry.tally import Tally


class CrewTelling:
    """Feeds a tally: with what workers say through their pipes, and with its own looks at the group."""

    def __init__(self, outside: Outside, tally: Tally) -> None:
        self._outside, self.tally = outside, tally
        self._meter = Meter()
        self._meter.declare(c.RESTARTS, [()])
        self._tell()

    async def watch(self) -> None:
        """Look at the group once a second, until cancelled; a broker that is away is the workers' business."""
        while True:
            try:
                await self._outside.view.look()
            except LeptonError:
                continue  # it was asked for a minute before this is raised
            self._tell()
            await asyncio.sleep(self._outside.limits.watch_s)

    def restarted(self) -> None:
        """A worker crashed and is started again."""
        self._meter.add(c.RESTARTS, 1)
        self._tell()

    async def listen(self, worker: int, fd: int) -> None:
        """Hear a worker until it is gone."""
        try:
            async for snapshot in received(fd):
                self.tally.hear(worker, snapshot)
        finally:
            self.tally.gone(worker)

    def _tell(self) -> None:
        self.tally.add(Snapshot(joined=True, gauges=self._gauges(), counters=self._meter.counters()))

    def _gauges(self) -> Samples:
        view = self._outside.view
        seen = view.seen
        return {
            c.LAG_RECORDS.name: {named(tp): seen.behind(tp) for tp in view.sources if tp in seen.ends},
            c.SHUFFLE_LAG.name: {(str(tp.partition),): seen.behind(tp) for tp in view.shuffle if tp in seen.ends},
        }
