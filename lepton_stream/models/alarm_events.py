"""Events of alarms: each opening, closing and falling silent, with its explanation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lepton_stream.columns import Columns, to_list
from lepton_stream.models.events import Events
from lepton_stream.models.hysteresis import Turns
from lepton_stream.models.section import AlarmSection
from lepton_stream.pipeline.durations import MICROSECONDS, duration_text
from lepton_stream.pipeline.plan import Alarm

OPENED, CLOSED, SILENT = "opened", "closed", "silent"
_MS, _SECOND = MICROSECONDS["ms"], MICROSECONDS["s"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Turns of one kind; `group`: the key fields of each."""

    change: str
    group: Columns
    turns: Turns


def alarm_events(section: AlarmSection, told: Sequence[Told]) -> Events | None:
    """The turns as events, ordered by time, source partition and offset; None where there are none."""
    rows = sorted(
        (row for some in told for row in _rows(section, some)), key=lambda row: (row[0], row[1], row[2], row[3])
    )
    if not rows:
        return None
    names = list(rows[0][-1])
    return Events(section.model.name, section.model.by, {name: [row[-1][name] for row in rows] for name in names})


def _rows(section: AlarmSection, told: Told) -> list[tuple[int, int, int, str, dict[str, Any]]]:
    """Each with what it is ordered by; as many as there are turns, which are few."""
    turns, alarm = told.turns, section.model
    groups = list(zip(*(to_list(told.group[name]) for name in alarm.by), strict=True)) or [()] * len(turns)
    columns = (turns.value, turns.time, turns.source, turns.offset, turns.since, turns.worst, turns.until, turns.values)
    out = []
    for group, *turn in zip(groups, *(column.tolist() for column in columns), strict=True):
        value, time, source, offset, since, worst, until, values = turn
        at = time + alarm.forget_us if told.change == SILENT else time
        event = dict(zip(alarm.by, group, strict=True))
        event |= {"model": alarm.name, "field": alarm.field, "event_time": at // _MS, "seen": _number(section, value)}
        event |= {"expected": alarm.threshold if told.change == OPENED else alarm.back}
        event |= {"alarm": told.change == OPENED, "change": told.change, "since": since // _MS}
        event |= {"until": None if told.change == OPENED else until // _MS, "worst": _number(section, worst)}
        event |= {"threshold": alarm.threshold, "back": alarm.back}
        event["because"] = _because(alarm, told.change, value, time, since, worst, until, values)
        place = {"source_topic": section.topic, "source_partition": source, "source_offset": offset}
        out.append((at, source, offset, told.change, {**event, **place}))
    return out


def _number(section: AlarmSection, value: float) -> float | int:
    return int(value) if section.whole else value


def _because(
    alarm: Alarm, change: str, value: float, time: int, since: int, worst: float, until: int, values: int
) -> str:
    side, threshold = alarm.side, f"{alarm.threshold:.6g}"
    if change == OPENED:
        return f"{alarm.field} is {value:.6g}: {side} {threshold}{_lasting(time - since, values)}"
    past = "down to" if side == "below" else "up to"
    story = f"{side} {threshold} since {_moment(since)}, {past} {worst:.6g}"
    if change == CLOSED:
        back = f"{alarm.back:.6g} or {'above' if side == 'below' else 'below'}"
        return f"{alarm.field} is {value:.6g}: {back}{_lasting(time - until, values)}, after it was {story}"
    silence = duration_text(alarm.forget_us)
    return f"silent for more than {silence} after {alarm.field} was {value:.6g}; not known to be back, {story}"


def _lasting(us: int, values: int) -> str:
    """How long a stretch is, in words; nothing of a single value."""
    return f" for {duration_text(max(us, 0) // _SECOND * _SECOND)}, {values} values in a row" if values > 1 else ""


def _moment(us: int) -> str:
    try:
        return f"{_EPOCH + timedelta(microseconds=us // _SECOND * _SECOND):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:  # no record has such a time; bytes of others in our topics may
        return f"{us // _MS} ms"
