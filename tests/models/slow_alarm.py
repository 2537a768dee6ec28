"""A second opinion on alarms: one plain loop over the values of each key, one at a time, no arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.models.slow import Row


@dataclass
class Watched:
    """What is remembered of a key."""

    last: Row | None = None
    stretch: list[Row] = field(default_factory=list)
    kind: str = ""
    opened: list[Row] = field(default_factory=list)
    """All since the first value of what opened the alarm; empty where none is open."""


@dataclass(frozen=True)
class Rule:
    """As the keys of `[[alarm]]`; durations in microseconds."""

    side: str
    threshold: float
    back: float
    open_after: int = 0
    open_values: int = 1
    close_after: int = 0
    close_values: int = 1
    forget: int = 30 * 86_400_000_000

    def kind_of(self, value: float) -> str:
        """beyond, back, or neither."""
        if self.side == "below":
            return "beyond" if value < self.threshold else "back" if value >= self.back else ""
        return "beyond" if value > self.threshold else "back" if value <= self.back else ""

    def worst(self, rows: Sequence[Row]) -> float:
        """The one furthest beyond."""
        return (min if self.side == "below" else max)(row.value for row in rows)


def turns(rows: Sequence[Row], rule: Rule, heard: int) -> list[dict[str, Any]]:
    """Every turn of every key, as what an event says. `heard`: up to where silence is one."""
    keys: dict[str, Watched] = {}
    out: list[dict[str, Any]] = []
    for row in sorted(rows):
        one = keys.setdefault(row.key, Watched())
        if one.last is not None and row.time_us - one.last.time_us > rule.forget:
            _fall_silent(one, rule, out)
            one = keys[row.key] = Watched()
        _take(one, row, rule, out)
    for one in keys.values():
        if one.last is not None and one.last.time_us + rule.forget < heard:
            _fall_silent(one, rule, out)
    return out


def _take(one: Watched, row: Row, rule: Rule, out: list[dict[str, Any]]) -> None:
    kind = rule.kind_of(row.value)
    if kind != one.kind:
        one.kind, one.stretch = kind, []
    one.stretch.append(row)
    one.last = row
    count, lasted = len(one.stretch), row.time_us - one.stretch[0].time_us
    if one.opened:
        one.opened.append(row)
        if kind == "back" and count >= rule.close_values and lasted >= rule.close_after:
            out.append(_event("closed", row, row.time_us, one, rule, one.stretch[0].time_us))
            one.opened = []
    elif kind == "beyond" and count >= rule.open_values and lasted >= rule.open_after:
        one.opened = list(one.stretch)
        out.append(_event("opened", row, row.time_us, one, rule, None))


def _fall_silent(one: Watched, rule: Rule, out: list[dict[str, Any]]) -> None:
    if one.opened and one.last is not None:
        out.append(_event("silent", one.last, one.last.time_us + rule.forget, one, rule, one.last.time_us))


def _event(change: str, row: Row, at: int, one: Watched, rule: Rule, until: int | None) -> dict[str, Any]:
    return {
        "device": row.key,
        "event_time": at // 1000,
        "change": change,
        "seen": row.value,
        "since": one.opened[0].time_us // 1000,
        "until": None if until is None else until // 1000,
        "worst": rule.worst(one.opened),
        "source_partition": row.source,
        "source_offset": row.offset,
    }
