"""Records of files into the source topic, in order and partitions those of the local runtime's `--partitions N`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from lepton_stream import clock
from lepton_stream.chunk import SourcePartition
from lepton_stream.pipeline.plan import Plan
from lepton_stream.runtime.inputs import Input
from lepton_stream.runtime.kafka.bulk import Bulk
from lepton_stream.runtime.kafka.produce import Producer
from lepton_stream.runtime.kafka.schedule import Schedule
from lepton_stream.runtime.kafka.topic_form import TopicForm
from lepton_stream.runtime.partitioned import Routed, merged

_RECORDS_A_SEND = 65_536
"""Bounds what is in flight, and how long an interrupt waits."""


@dataclass(slots=True)
class Fed:
    """What was sent so far. `cut`: records beyond the plan's limit, of which the beginning was sent."""

    records: int = 0
    bytes: int = 0
    keyless: int = 0
    cut: int = 0
    seconds: float = 0.0
    partitions: Counter[int] = field(default_factory=Counter)

    def add(self, wave: Wave) -> None:
        """These were acknowledged."""
        self.records += len(wave)
        self.bytes += sum(map(len, filter(None, wave.block.values)))
        self.keyless += wave.keys.count(None)
        self.cut += len(wave) - wave.block.long.count(-1)
        for partition, count in enumerate(np.bincount(wave.block.partition).tolist()):
            if count:
                self.partitions[partition] += count


@dataclass(frozen=True, slots=True, eq=False)
class Wave:
    """Records in the order they are sent, in the topic's form, with their keys."""

    block: Routed
    keys: list[bytes | None]

    def __len__(self) -> int:
        return len(self.keys)

    def cut(self, at: int) -> tuple[Wave, Wave]:
        """The first `at` records and the rest."""
        head, rest = self.block.cut(at)
        return Wave(head, self.keys[:at]), Wave(rest, self.keys[at:])

    def bulks(self, topic: str, now_ms: int) -> dict[SourcePartition, Bulk]:
        """The records of each partition. `now_ms`: what a producer writes into them as their time."""
        values, keys, out = self.block.values, self.keys, dict[SourcePartition, Bulk]()
        order = np.argsort(self.block.partition, kind="stable")
        bounds = np.cumsum(np.bincount(self.block.partition)).tolist()
        for partition, rows in enumerate(np.split(order, bounds[:-1])):
            if len(rows):
                listed = rows.tolist()
                bulk = Bulk([keys[i] for i in listed], [values[i] for i in listed], now_ms)
                out[SourcePartition(topic, partition)] = bulk
        return out


def waves(inputs: list[Input], plan: Plan, partitions: int) -> Iterator[Wave]:
    """All records of all inputs."""
    form = TopicForm(plan, inputs[0])
    for block in merged(inputs, plan, partitions):
        rest = block
        while len(rest):
            head, rest = rest.cut(_RECORDS_A_SEND)
            keys = form.keys(head.values)
            values = form.values(head.values)
            yield Wave(replace(head, values=values), keys)


@dataclass(frozen=True, slots=True)
class Feed:
    """How waves go out. `now_ms`: the clock that producers write into records; `sleep` and `elapsed_s`: seconds."""

    topic: str
    producer: Producer
    schedule: Schedule
    sleep: Callable[[float], Awaitable[object]]
    tell: Callable[[Fed], None]
    elapsed_s: Callable[[], float] = clock.elapsed_s
    now_ms: Callable[[], int] = lambda: clock.now_us() // 1000

    async def send(self, waves: Iterator[Wave], fed: Fed) -> None:
        """Everything when it is due; `fed` and `tell` follow. Raises BrokerError: nothing follows what failed."""
        began = self.elapsed_s()
        for wave in waves:
            rest = wave
            while len(rest):
                passed = self.elapsed_s() - began
                n = self.schedule.due(fed.records, passed, rest.block.time)
                if n == 0:
                    await self.sleep(self.schedule.wait_s(fed.records, passed, rest.block.time))
                    continue
                now, rest = rest.cut(n)
                await self.producer.send_bulk(now.bulks(self.topic, self.now_ms()))
                fed.add(now)
                fed.seconds = self.elapsed_s() - began
                self.tell(fed)
