"""A model in one shuffle partition: rows that wait for the watermark, the state of every key, and scores."""

from __future__ import annotations

import numpy as np

from lepton_stream.columns import Columns, Index, Mask, Numbers
from lepton_stream.dedup.fingerprint import Key
from lepton_stream.models.events import Events, Scored, events_of
from lepton_stream.models.keys import Keys
from lepton_stream.models.onsets import onsets
from lepton_stream.models.scorer import Floats, Run
from lepton_stream.models.section import ModelSection
from lepton_stream.models.waiting import Piece, Waiting
from lepton_stream.windows.watermark import NEVER

LARGEST_SCORE = 1e6
"""Scores end here: a value that differs where none did before has this one."""
_LARGEST_VALUE = 1e150
"""Values beyond count as this one, so that no square overflows."""
_ROWS_AT_ONCE = 8192


class ModelTable:
    """Rows are scored once the watermark, less the lateness, has passed them, in order of (time, source, offset)."""

    def __init__(self, section: ModelSection, key: Key) -> None:
        self.section = section
        self.closed_to = NEVER
        """Rows with an event time below it have been scored, and none are taken any more."""
        self.waiting = Waiting()
        self.keys = Keys(section.model.by, section.empty, key)

    def too_late(self, time: Index) -> Mask:
        """Which event times are closed for good."""
        return time < self.closed_to

    def due(self, mark: int) -> bool:
        """Whether rows wait that the mark has passed."""
        earliest = self.waiting.earliest
        return earliest is not None and earliest < mark

    def latest_end(self) -> int:
        """The mark that all waiting rows are before."""
        return max(self.closed_to, self.waiting.latest + 1)

    def score(self, mark: int, most: int | None = None) -> tuple[int, Events | None]:
        """(rows scored, those of them that are published), of the rows before the mark; at most about `most` of them.

        Rows of a key's warm-up move its state on and are not scored.
        """
        rows, mark = self.waiting.take(mark, most)
        self.closed_to = max(self.closed_to, mark)
        if rows is None:
            return 0, None
        count, told = 0, []
        for at in range(0, len(rows), _ROWS_AT_ONCE):
            scored, some = self._score(rows.take(slice(at, at + _ROWS_AT_ONCE)))
            count += scored
            told.append(some)
        batches = [events_of(self.section, one) for one in told if len(one)]
        return count, _in_a_row(batches) if batches else None

    def _score(self, rows: Piece) -> tuple[int, Scored]:
        model = self.section.model
        run, order = self._run(rows)
        found, before = np.empty((3, len(rows))), np.empty(len(rows), np.int64)
        found[:, order] = self.section.scorer.score(self.keys.states, run)
        before[order] = run.before
        seen, expected, deviation = found[0], found[1], np.maximum(found[2], model.least_deviation)
        score = _in_deviations(seen - expected, deviation)
        scored = before >= model.warmup
        alarm = scored & (np.abs(score) >= model.threshold)
        told = {"all": scored, "alarms": alarm, "onsets": np.empty_like(alarm)}[model.emit]
        if model.emit == "onsets":
            told[order] = onsets(self.keys.states, run, score[order], scored[order], model.threshold)
        which = np.flatnonzero(told)
        own = rows.take(which)
        said = before[which], seen[which], expected[which], deviation[which], score[which], alarm[which]
        return int(np.count_nonzero(scored)), Scored(own.columns, own.time, own.source, own.offset, *said)

    def _run(self, rows: Piece) -> tuple[Run, Index]:
        """The rows key by key, and their places; keys note what they have seen."""
        keys = self.keys
        row = keys.rows_for(rows.columns, len(rows))
        order = np.argsort(row, kind="stable")
        key, start, count = np.unique(row[order], return_index=True, return_counts=True)
        owner, time = np.repeat(np.arange(len(key)), count), rows.time[order]
        earlier = np.concatenate([time[:1], time[:-1]])
        earlier[start] = keys.last[key]
        anew = time - earlier > self.section.model.forget_us
        place = np.arange(len(time))
        began = np.maximum.accumulate(np.where(anew, place, -1))
        position = place - start[owner]
        before = np.where(began >= start[owner], place - began, keys.seen[key][owner] + position)
        ends = start + count - 1
        keys.last[key], keys.seen[key], keys.touched[key] = time[ends], before[ends] + 1, True
        value = _values(rows.columns, self.section.model.field)[order]
        return Run(key, start, count, owner, value, before), order

    def forgotten(self) -> Index:
        """Keys that were silent for so long that whatever comes begins anew."""
        return self.keys.forgotten(self.closed_to - self.section.model.forget_us)

    @property
    def bytes(self) -> int:
        """Memory, roughly."""
        return self.keys.bytes + self.waiting.bytes

    @property
    def capacity(self) -> int:
        """Keys for which there is room, and rows that wait."""
        return self.keys.capacity + self.waiting.count


def _values(columns: Columns, field: str) -> Floats:
    """float64[n] within bounds; never -0.0, whose place among zeros is up to who sorts."""
    column = columns[field]
    assert isinstance(column, Numbers)
    return np.clip(column.values.astype(np.float64), -_LARGEST_VALUE, _LARGEST_VALUE) + 0.0


def _in_deviations(residual: Floats, deviation: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        score = np.where(residual == 0, 0.0, residual / deviation)
    return np.clip(score, -LARGEST_SCORE, LARGEST_SCORE)


def _in_a_row(batches: list[Events]) -> Events:
    """Batches that follow each other as one."""
    first = batches[0]
    return Events(first.model, first.by, {n: [v for b in batches for v in b.columns[n]] for n in first.columns})
