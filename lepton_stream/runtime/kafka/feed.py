"""Records of files into the source topic, in the order and to the partitions of the local runtime's `--partitions N`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from lepton_stream import clock
from lepton_stream.chunk import SourcePartition
from lepton_stream.columns import Index
from lepton_stream.pipeline.plan import Plan
from lepton_stream.runtime.inputs import Input
from lepton_stream.runtime.kafka.produce import Producer, Record
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

    def add(self, records: list[Record], cut: int) -> None:
        """These were acknowledged."""
        self.records += len(records)
        self.bytes += sum(len(r.value or b"") for r in records)
        self.keyless += sum(r.key is None for r in records)
        self.cut += cut
        self.partitions.update(r.to.partition for r in records)


@dataclass(frozen=True, slots=True, eq=False)
class Wave:
    """Records that may be sent together, the event time of each (running maximum), and how many were cut."""

    records: list[Record]
    time: Index
    cut: int


def waves(inputs: list[Input], plan: Plan, partitions: int, now_ms: Callable[[], int]) -> Iterator[Wave]:
    """All records in the order they are sent. `now_ms`: the time that producers write into records."""
    form = TopicForm(plan, inputs[0])
    to = [SourcePartition(plan.source.topic, p) for p in range(partitions)]
    for block in merged(inputs, plan, partitions):
        rest = block
        while len(rest):
            head, rest = rest.cut(_RECORDS_A_SEND)
            yield _wave(head, form, to, now_ms())


def _wave(block: Routed, form: TopicForm, to: list[SourcePartition], now_ms: int) -> Wave:
    target = [to[p] for p in block.partition.tolist()]
    keys, values = form.keys(block.values), form.values(block.values)
    records = [Record(tp, value, key, (), now_ms) for tp, value, key in zip(target, values, keys, strict=True)]
    return Wave(records, block.time, sum(n >= 0 for n in block.long))


async def feed(
    waves: Iterator[Wave],
    producer: Producer,
    schedule: Schedule,
    fed: Fed,
    *,
    sleep: Callable[[float], Awaitable[object]],
    tell: Callable[[Fed], None],
    elapsed_s: Callable[[], float] = clock.elapsed_s,
) -> None:
    """Send everything when it is due; `fed` and `tell` follow. Raises BrokerError, after which nothing more is sent."""
    began = elapsed_s()
    for wave in waves:
        at = 0
        while at < len(wave.records):
            passed = elapsed_s() - began
            n = schedule.due(fed.records, passed, wave.time[at:])
            if n == 0:
                await sleep(schedule.wait_s(fed.records, passed, wave.time[at:]))
                continue
            now = wave.records[at : at + n]
            await producer.send_all(now)
            at += n
            fed.add(now, wave.cut if at == len(wave.records) else 0)
            fed.seconds = elapsed_s() - began
            tell(fed)


__all__ = ["Fed", "Wave", "feed", "waves"]
