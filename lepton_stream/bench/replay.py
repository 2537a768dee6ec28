"""The sample of a shipped pipeline as its topic holds it, over and over: enough events to measure with.

Each copy is an earlier one of the sample: its event times are moved back by a multiple of whole weeks that no window
spans, and where the id of a record does not hold its time, a field of the id is changed. So every copy counts as the
sample does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import orjson

from lepton_stream import clock
from lepton_stream.chunk import Values
from lepton_stream.errors import UsageError
from lepton_stream.formats.event_time import event_times
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.pipeline.plan import FileForm, Plan
from lepton_stream.pipeline.source import find, sample
from lepton_stream.pipeline.to_toml import to_toml
from lepton_stream.runtime.inputs import open_inputs
from lepton_stream.runtime.kafka.feed import waves

Event: TypeAlias = dict[str, Any]
_WEEK_US = 7 * 86_400_000_000
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_SECONDS_END = 19
"""Letters of an ISO 8601 text up to its seconds; fraction and zone stay as they are."""


@dataclass(frozen=True, slots=True)
class Replay:
    """`events`: the sample's records in the order of its topic; `span_us`: how far apart copies are."""

    plan: Plan
    events: Sequence[Event]
    span_us: int

    @classmethod
    def of(cls, name: str) -> Replay:
        """Of a shipped pipeline. Raises UsageError where it has no sample, or one that cannot be repeated."""
        plan = find(name)
        inputs = open_inputs(sample(name), plan, clock.now_us(), None)
        try:
            values = [value or b"" for wave in waves(inputs, plan, 1) for value in wave.block.values]
        finally:
            for given in inputs:
                given.close()
        plan = replace(plan, source=replace(plan.source, file=FileForm()))
        try:
            events = [orjson.loads(value) for value in values]
        except orjson.JSONDecodeError:
            raise UsageError(f"{name}: its sample holds records that are no JSON objects in its topic") from None
        return cls(plan, events, _span_us(plan, values))

    def write(self, folder: Path, copies: int, stem: str) -> tuple[Path, Path]:
        """(the pipeline, a file of so many copies of the sample as JSON lines, the oldest first)."""
        plan, events = folder / f"{stem}.toml", folder / f"{stem}.jsonl"
        plan.write_text(to_toml(self.plan), encoding="utf-8")
        with events.open("wb") as file:
            for copy in reversed(range(copies)):
                file.writelines(orjson.dumps(event) + b"\n" for event in self.copy(copy))
        return plan, events

    def copy(self, number: int) -> Iterator[Event]:
        """The sample, moved back by `number` spans; 0 is the sample itself."""
        source = self.plan.source
        told_apart = _told_apart_by(self.plan)
        width = self._width(told_apart) if told_apart else 0
        for event in self.events:
            moved = {**event, source.time: _earlier(event.get(source.time), number * self.span_us, source.time_unit)}
            if told_apart and number:
                moved[told_apart] = _other(event.get(told_apart), number, width)
            yield moved

    def _width(self, field: str) -> int:
        values = [event[field] for event in self.events if isinstance(event.get(field), int | float)]
        return math.ceil(max(values) - min(values)) + 1 if values else 0


def _span_us(plan: Plan, values: Sequence[bytes]) -> int:
    """Whole weeks and whole windows, of which the sample with its windows fits into one."""
    decoded = JsonDecoder(plan.source, [plan.field_named(plan.source.time)]).decode(Values.from_list(values))
    times, bad = event_times(decoded.columns[plan.source.time], plan.source.time_unit, plan.source.time_zone)
    good = times[~bad]
    if not len(good):
        raise UsageError(f"{plan.name}: its sample holds no event time")
    longest = max(window.size_us + window.lateness_us + window.grace_us for window in plan.windows)
    unit = math.lcm(_WEEK_US, *(window.size_us for window in plan.windows), *(w.step_us for w in plan.windows))
    return -(-(int(np.ptp(good)) + 2 * longest) // unit) * unit


def _told_apart_by(plan: Plan) -> str | None:
    """The field of the id that differs between copies; None where the time does it, or nothing has to."""
    ids = plan.source.id
    if ids is None or ids == "all" or plan.source.time in ids:
        return None
    grouped = {*plan.source.key, *(name for window in plan.windows for name in window.group_by)}
    return min(ids, key=lambda name: name in grouped)


def _earlier(time: Any, by_us: int, unit: str) -> Any:
    """The same form of time, so much earlier; what is no time stays as it is."""
    if isinstance(time, str):
        try:
            moment = datetime.fromisoformat(time[:_SECONDS_END]) - timedelta(microseconds=by_us)
        except ValueError:
            return time
        return moment.isoformat(time[10:11] or "T")[: len(time)] + time[_SECONDS_END:]
    if isinstance(time, int | float) and unit in _PER_SECOND:
        return time - by_us // 1_000_000 * _PER_SECOND[unit]  # a span is whole seconds
    return time


def _other(value: Any, number: int, width: int) -> Any:
    if isinstance(value, str):
        return f"{value}.{number}"
    return value + number * width if isinstance(value, int | float) else value
