"""Events: what a model or an alarm publishes; those of a model are scores, each with its explanation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lepton_stream.columns import Columns, Index, Mask, to_list
from lepton_stream.models.scorer import Floats
from lepton_stream.models.section import ModelSection

_MS = 1000  # microseconds


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """n scored rows, in order: key fields and the scored field, where they were, and what is said of them.

    `before`: values that the key saw before each; `seen`: what was compared with `expected`.
    """

    columns: Columns
    time: Index
    source: Index
    offset: Index
    before: Index
    seen: Floats
    expected: Floats
    deviation: Floats
    score: Floats
    alarm: Mask

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Events of one model or alarm and one checkpoint, ordered by event time, source partition, offset.

    `model`: its name. `columns`: lists of equal length by name: the key fields `by`, then `EVENT_COLUMNS` of
    `pipeline.models` or `ALARM_COLUMNS` of `pipeline.alarms`.
    """

    model: str
    by: tuple[str, ...]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.columns["model"])

    def rows(self) -> Iterator[dict[str, Any]]:
        """One flat record an event."""
        for row in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, row, strict=True))


def events_of(section: ModelSection, told: Scored) -> Events:
    """The rows as events."""
    model, n = section.model, len(told)
    seen = told.seen.tolist() if section.scorer.subject else to_list(told.columns[model.field])
    columns: dict[str, list[Any]] = {name: to_list(told.columns[name]) for name in model.by}
    columns |= {"model": [model.name] * n, "field": [model.field] * n, "event_time": (told.time // _MS).tolist()}
    columns |= {"seen": seen, "expected": told.expected.tolist(), "deviation": told.deviation.tolist()}
    columns |= {"score": told.score.tolist(), "alarm": told.alarm.tolist(), "because": _because(section, seen, told)}
    columns |= {"source_topic": [section.topic] * n, "source_partition": told.source.tolist()}
    return Events(model.name, model.by, {**columns, "source_offset": told.offset.tolist()})


def _because(section: ModelSection, seen: Sequence[Any], told: Scored) -> list[str]:
    rows = zip(seen, told.expected, told.deviation, told.score, told.before.tolist(), strict=True)
    return [_explained(section, *row) for row in rows]


def _explained(section: ModelSection, seen: Any, expected: float, deviation: float, score: float, before: int) -> str:
    scorer = section.scorer
    what = f"{scorer.subject}{section.model.field} is {seen:.6g}"
    usual = f"{scorer.told(before)}, {expected:.6g}"
    if score == 0:
        return f"{what}: it equals {usual}"
    side = "above" if score > 0 else "below"
    if deviation == 0:
        return f"{what}, {side} {usual}, from which none of them differed"
    return f"{what}: {abs(score):.3g} deviations of {deviation:.3g} {side} {usual}"


def events_together(batches: Sequence[Events]) -> list[Events]:
    """Batches of several shuffle partitions as one a model, ordered as a single partition would give them."""
    models: dict[str, list[Events]] = {}
    for batch in batches:
        models.setdefault(batch.model, []).append(batch)
    return [same[0] if len(same) == 1 else _joined(same) for same in models.values()]


def in_a_row(batches: Sequence[Events]) -> Events:
    """Batches that follow each other as one."""
    first = batches[0]
    return Events(first.model, first.by, {n: [v for b in batches for v in b.columns[n]] for n in first.columns})


def _joined(batches: list[Events]) -> Events:
    whole = in_a_row(batches)
    columns = whole.columns
    places = zip(columns["event_time"], columns["source_partition"], columns["source_offset"], strict=True)
    order = [i for _, i in sorted(zip(places, range(len(columns["model"])), strict=True))]
    return Events(whole.model, whole.by, {name: [values[i] for i in order] for name, values in columns.items()})
