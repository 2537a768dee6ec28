"""What must come out: every record judged one at a time, in a few slow lines that share nothing with the product."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from lepton_stream.pipeline.plan import Alarm, Model, Plan, Window
from tests.models.slow import Row
from tests.protocol.records import SECOND, Log

Cell = tuple[str, int, tuple[Any, ...]]
"""Section, start of the window in milliseconds, group."""


@dataclass
class Verdicts:
    """Of one source partition."""

    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    late: set[int] = field(default_factory=set)
    dead: set[int] = field(default_factory=set)
    late_by_window: Counter[str] = field(default_factory=Counter)
    high: int | None = None
    taken: list[tuple[int, int]] = field(default_factory=list)
    """(offset, event time) of the accepted records."""


@dataclass
class Truth:
    """`cells`: the rows of each cell, as (event time, source, offset, value); `scored`: what models and alarms take."""

    verdicts: list[Verdicts]
    cells: dict[Cell, list[tuple[int, int, int, int]]]
    scored: dict[str, list[Row]] = field(default_factory=dict)

    def result(self, cell: Cell) -> dict[str, int]:
        """Every figure that a section of `records` may ask for."""
        rows = sorted(self.cells[cell])
        return {"n": len(rows), "total": sum(r[3] for r in rows), "last": rows[-1][3]}


def truth_of(plan: Plan, logs: list[Log], ends: list[int]) -> Truth:
    """`ends`: up to where each log counts."""
    truth = Truth([], {})
    for s, log in enumerate(logs):
        truth.verdicts.append(_judge(plan, s, log[: ends[s]], truth))
    return truth


def _judge(plan: Plan, s: int, log: Log, truth: Truth) -> Verdicts:
    out, seen = Verdicts(), dict[int, int]()
    for offset, entry in enumerate(log):
        if entry.marker:
            continue
        out.read += 1
        record = _read(entry.value)
        if record is None:
            out.dead.add(offset)
            continue
        time, before = record["t"] * SECOND, seen.get(record["id"])
        seen[record["id"]] = offset
        high, out.high = out.high, time if out.high is None else max(out.high, time)
        if before is not None and before >= offset - plan.dedup_memory:
            out.duplicate += 1
            continue
        sections: tuple[Window | Model | Alarm, ...] = (*plan.windows, *plan.in_order)
        late = [w.name for w in sections if high is not None and time < high - w.lateness_us]
        if len(late) == len(sections):
            out.late.add(offset)
            continue
        out.accepted += 1
        out.taken.append((offset, time))
        out.late_by_window.update(late)
        for window in plan.windows:
            if window.name not in late:
                row = (time, s, offset, record["v"])
                truth.cells.setdefault(_cell(window, time, record), []).append(row)
        for model in plan.in_order:
            if model.name not in late:
                key = str([record[name] for name in model.by])
                truth.scored.setdefault(model.name, []).append(Row(time, s, offset, key, record["v"]))
    return out


def _read(value: bytes | None) -> dict[str, Any] | None:
    try:
        record = json.loads(value or b"")
    except ValueError:
        return None
    whole = isinstance(record, dict) and record.keys() >= {"id", "k", "g", "t", "v"} and isinstance(record["v"], int)
    return record if whole else None


def _cell(window: Window, time: int, record: dict[str, Any]) -> Cell:
    start = (time - window.offset_us) // window.size_us * window.size_us + window.offset_us
    return window.name, start // 1000, tuple(record[name] for name in window.group_by)
