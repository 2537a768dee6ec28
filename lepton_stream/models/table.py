"""A model in one shuffle partition: scores of the rows that the watermark has passed."""

from __future__ import annotations

import numpy as np

from lepton_stream.dedup.fingerprint import Key
from lepton_stream.models.alarm_table import AlarmTable
from lepton_stream.models.events import Events, Scored, events_of, in_a_row
from lepton_stream.models.onsets import onsets
from lepton_stream.models.ordered import OrderedTable
from lepton_stream.models.scorer import Floats
from lepton_stream.models.section import AlarmSection, ModelSection, OrderedSection
from lepton_stream.models.waiting import Piece

LARGEST_SCORE = 1e6
"""Scores end here: a value that differs where none did before has this one."""


def table_of(section: OrderedSection, key: Key) -> OrderedTable:
    """An empty table for the section."""
    return AlarmTable(section, key) if isinstance(section, AlarmSection) else ModelTable(section, key)


class ModelTable(OrderedTable):
    """Rows of a key's warm-up move its state on and are not scored."""

    section: ModelSection

    def __init__(self, section: ModelSection, key: Key) -> None:
        super().__init__(section, key)

    def score(self, mark: int, heard: int, most: int | None = None) -> tuple[int, Events | None]:
        """(rows scored, those that are published), of the rows before the mark; at most about `most` of them."""
        count, told = 0, []
        for rows in self._take(mark, most):
            scored, some = self._score(rows)
            count += scored
            told.append(some)
        batches = [events_of(self.section, one) for one in told if len(one)]
        return count, in_a_row(batches) if batches else None

    def _score(self, rows: Piece) -> tuple[int, Scored]:
        model = self.section.model
        run, order = self._run(rows)
        self._note(run)
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


def _in_deviations(residual: Floats, deviation: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        score = np.where(residual == 0, 0.0, residual / deviation)
    return np.clip(score, -LARGEST_SCORE, LARGEST_SCORE)
