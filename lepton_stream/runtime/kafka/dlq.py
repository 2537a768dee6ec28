"""Dead letters read back, judged and sent again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.columns import Index
from lepton_stream.errors import IntegrityError
from lepton_stream.formats.decoder import Reason
from lepton_stream.formats.event_time import event_times
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Alarm, Field, Model, Plan, Window
from lepton_stream.protocol.metadata import claim_of
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.group import Group
from lepton_stream.runtime.kafka.letters import Letter, read, replay
from lepton_stream.runtime.kafka.produce import Producer
from lepton_stream.runtime.kafka.reader import read_range
from lepton_stream.runtime.kafka.tail import bounds_of
from lepton_stream.runtime.kafka.wire import Wire
from lepton_stream.windows.watermark import NEVER, high_before, late

SEND_BYTES = 8 << 20


@dataclass(slots=True)
class Box:
    """The letters of one pipeline, one a record. `others`: letters of other pipelines; `foreign`: no letters."""

    letters: dict[tuple[SourcePartition, int], Letter] = field(default_factory=dict)
    repeated: int = 0
    others: int = 0
    foreign: int = 0

    def add(self, letter: Letter, pipeline: str) -> None:
        """A letter may have been written twice (after a crash): a record has one."""
        if letter.pipeline != pipeline:
            self.others += 1
            return
        self.repeated += letter.place in self.letters
        self.letters[letter.place] = letter


async def open_box(connection: Connection, plan: Plan) -> Box:
    """Everything that is in the dead-letter topic now. Raises UsageError if it does not exist, BrokerError."""
    box = Box()
    bounds = await bounds_of(connection, names(plan).dead_letters)
    for tp, start in sorted(bounds.starts.items()):
        async for letter in _letters(connection, tp, start, bounds.ends[tp], box):
            box.add(letter, plan.name)
    return box


async def _letters(
    connection: Connection, tp: SourcePartition, start: int, end: int, box: Box
) -> AsyncIterator[Letter]:
    async for chunk in read_range(connection, tp, start, end):
        for row in range(len(chunk)):
            letter = _letter(chunk, row)
            if letter is None:
                box.foreign += 1
            else:
                yield letter


def _letter(chunk: Chunk, row: int) -> Letter | None:
    headers = chunk.headers[row] if chunk.headers else []
    where = f"{chunk.source.topic} partition {chunk.source.partition}, offset {chunk.offsets[row]}"
    try:
        return read(chunk.values[row], chunk.keys[row] if chunk.keys else None, headers, where)
    except IntegrityError:
        return None  # counted: another program's record must not keep ours from being read


def chosen(letters: Iterable[Letter], reasons: Sequence[str], limit: int | None = None) -> list[Letter]:
    """Those with one of the reasons (all, if none is named), by source partition and offset, at most `limit`."""
    found = sorted((x for x in letters if not reasons or x.reason in reasons), key=lambda x: x.place)
    return found if limit is None else found[:limit]


def sendable(letters: Iterable[Letter]) -> list[Letter]:
    """Those that hold their record: others, such as those of a batch that was not opened, only point at it."""
    return [x for x in letters if x.reason is not Reason.DECOMPRESSION_LIMIT and not x.withheld]


def newest(letters: Iterable[Letter]) -> list[Letter]:
    """One letter an event: of one that was replayed and failed again, only the last attempt."""
    by_origin: dict[tuple[SourcePartition, int], Letter] = {}
    for letter in sorted(letters, key=lambda x: (x.attempt, x.place)):
        by_origin[letter.origin] = letter
    return sorted(by_origin.values(), key=lambda x: x.place)


@dataclass(frozen=True, slots=True)
class Lateness:
    """What lateness would do to letters that are sent now.

    `late`: to every window section; `by_window`: how many each section would leave out; `no_time`: the event time
    cannot be read as the plan says. `judged`: False where the group has no claims to compare with.
    """

    late: int
    by_window: dict[str, int]
    no_time: int
    judged: bool


def lateness(plan: Plan, letters: Sequence[Letter], high: dict[SourcePartition, int]) -> Lateness:
    """By the rule of `prepare`: in the order they are sent, against the highest event time before each."""
    by_source: dict[SourcePartition, list[Letter]] = {}
    for letter in letters:
        by_source.setdefault(letter.source, []).append(letter)
    total, no_time = 0, 0
    sections: tuple[Window | Model | Alarm, ...] = (*plan.windows, *plan.in_order)
    by_window = {section.name: 0 for section in sections}
    for source, own in by_source.items():
        time = times_of(plan, own)
        no_time += len(own) - len(time)
        before, _ = high_before(high.get(source, NEVER), time)
        masks = [late(time, before, section.lateness_us) for section in sections]
        for section, mask in zip(sections, masks, strict=True):
            by_window[section.name] += int(np.count_nonzero(mask))
        total += int(np.count_nonzero(np.logical_and.reduce(masks)))
    return Lateness(total, by_window, no_time, bool(high))


def times_of(plan: Plan, letters: Sequence[Letter]) -> Index:
    """Event times, microseconds, of those letters whose time can be read."""
    source = plan.source
    decoder = JsonDecoder(source, [Field(source.time, plan.field_named(source.time).type)])
    decoded = decoder.decode(Values.from_list([letter.value for letter in letters]))
    times, bad = event_times(decoded.columns[source.time], source.time_unit, source.time_zone)
    return times[~bad]


async def highs(connection: Connection, plan: Plan, sources: Iterable[SourcePartition]) -> dict[SourcePartition, int]:
    """The highest event time that the pipeline's group has claimed, by source partition; those without are left out."""
    async with Wire(connection) as wire:
        committed = await Group(wire, names(plan).group).committed(sorted(set(sources)))
    claims = {
        tp: claim_of(found.metadata, f"{tp.topic} partition {tp.partition}")
        for tp, found in committed.items()
        if found is not None and found.metadata
    }
    return {tp: claim.high for tp, claim in claims.items()}


async def send_again(connection: Connection, letters: Sequence[Letter]) -> int:
    """The original records into the partitions they came from, in order; how many. Raises BrokerError."""
    sent = 0
    async with Producer(connection) as producer:
        for some in portions(letters):
            await producer.send_all(replay(letter) for letter in some)
            sent += len(some)
    return sent


def portions(letters: Sequence[Letter], most: int = SEND_BYTES) -> Iterable[list[Letter]]:
    """Runs of letters of some megabytes, at least one letter each."""
    some: list[Letter] = []
    size = 0
    for letter in letters:
        length = len(letter.value or b"")
        if some and size + length > most:
            yield some
            some, size = [], 0
        some.append(letter)
        size += length
    if some:
        yield some
