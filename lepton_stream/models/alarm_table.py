"""An alarm in one shuffle partition: what opens, closes or falls silent among rows that the watermark has passed."""

from __future__ import annotations

import numpy as np

from lepton_stream.columns import Index
from lepton_stream.dedup.fingerprint import Key
from lepton_stream.models.alarm_events import CLOSED, OPENED, SILENT, Told, alarm_events
from lepton_stream.models.events import Events
from lepton_stream.models.hysteresis import Turns
from lepton_stream.models.ordered import OrderedTable
from lepton_stream.models.section import AlarmSection
from lepton_stream.models.waiting import Piece
from lepton_stream.windows.watermark import FOREVER


class AlarmTable(OrderedTable):
    """A key whose alarm is open stays until it closes or its silence has been told."""

    section: AlarmSection

    def __init__(self, section: AlarmSection, key: Key) -> None:
        super().__init__(section, key)

    def score(self, mark: int, heard: int, most: int | None = None) -> tuple[int, Events | None]:
        """(rows judged, the turns of alarms), of the rows before the mark; at most about `most` of them."""
        count, told = 0, []
        for rows in self._take(mark, most):
            told += self._judge(rows)
            count += len(rows)
        earliest = self.waiting.earliest
        told += self._fell_silent(heard if earliest is None else min(heard, earliest))
        return count, alarm_events(self.section, told)

    def _judge(self, rows: Piece) -> list[Told]:
        run, order = self._run(rows)
        last = self.keys.last[run.key]
        self._note(run)
        source, offset = rows.source[order], rows.offset[order]
        turns = self.section.scorer.turns(self.keys.states, run, source, offset, last)
        changes = zip((OPENED, CLOSED, SILENT), turns, strict=True)
        return [Told(change, rows.take(order[one.row]).columns, one) for change, one in changes if len(one)]

    def _fell_silent(self, heard: int) -> list[Told]:
        """Open alarms whose keys have been silent for too long, up to `heard`: they are open no more."""
        rows = self._open()
        rows = rows[self.keys.last[rows] + self.section.model.forget_us < heard]
        if not len(rows):
            return []
        held = {name: array[rows] for name, array in self.keys.states.items()}
        last, none = self.keys.last[rows], np.zeros(len(rows), np.int64)
        place = held["value"], last, held["source"], held["offset"]
        turns = Turns(none, *place, held["opened"], held["worst"] * self.section.scorer.sign + 0.0, last, none)
        for name in ("kind", "count", "since", "open", "opened", "worst"):
            self.keys.states[name][rows] = 0
        self.keys.touched[rows] = True
        return [Told(SILENT, self.keys.group(rows), turns)]

    def _open(self) -> Index:
        """The keys whose alarm is open."""
        count = self.keys.count
        return np.flatnonzero(self.keys.held[:count] & self.keys.states["open"][:count])

    @property
    def silence(self) -> int:
        """When the first key whose alarm is open has been silent for too long, if nothing comes."""
        rows = self._open()
        return int(self.keys.last[rows].min()) + self.section.model.forget_us if len(rows) else FOREVER

    def forgotten(self) -> Index:
        """Keys that were silent for so long that whatever comes begins anew, and of which nothing is to be told."""
        rows = super().forgotten()
        return rows[~self.keys.states["open"][rows]]
