"""Rows that wait for the watermark, and the state of every key: what models and alarms have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from lepton_stream.columns import Columns, Index, Mask, Numbers
from lepton_stream.dedup.fingerprint import Key
from lepton_stream.models.events import Events
from lepton_stream.models.keys import Keys
from lepton_stream.models.scorer import Floats, Run
from lepton_stream.models.section import OrderedSection
from lepton_stream.models.waiting import Piece, Waiting
from lepton_stream.windows.watermark import FOREVER, NEVER

_LARGEST_VALUE = 1e150
"""Values beyond count as this one, so that no square overflows."""
_ROWS_AT_ONCE = 8192


class OrderedTable(ABC):
    """One section in one shuffle partition: rows are judged once the watermark, less the lateness, has passed them.

    In the order of (time, source, offset), whatever the order they came in.
    """

    def __init__(self, section: OrderedSection, key: Key) -> None:
        self.section: OrderedSection = section
        self.closed_to = NEVER
        """Rows with an event time below it have been judged, and none are taken any more."""
        self.waiting = Waiting()
        self.keys = Keys(section.model.by, section.empty, key)

    def too_late(self, time: Index) -> Mask:
        """Which event times are closed for good."""
        return time < self.closed_to

    def due(self, mark: int, heard: int) -> bool:
        """Whether rows wait that the mark has passed, or silence up to `heard` says something."""
        earliest = self.waiting.earliest
        return (earliest is not None and earliest < mark) or heard > self.silence

    @property
    def silence(self) -> int:
        """The first moment after which it matters that nothing has come; past all time where it never does."""
        return FOREVER

    def oldest(self) -> int | None:
        """When something is due first; None while nothing waits for time to pass."""
        earliest = self.waiting.earliest
        due = min(FOREVER if earliest is None else earliest, self.silence)
        return None if due == FOREVER else due + 1

    def latest_end(self) -> int:
        """The mark that all waiting rows are before."""
        return max(self.closed_to, self.waiting.latest + 1)

    @abstractmethod
    def score(self, mark: int, heard: int, most: int | None = None) -> tuple[int, Events | None]:
        """(rows judged, what is published of them), of the rows before the mark; at most about `most` of them.

        `heard`: no row with an event time before it is still to come.
        """

    def _take(self, mark: int, most: int | None) -> Iterator[Piece]:
        """The rows before the mark, in order, so many at once; the table is closed up to there."""
        rows, mark = self.waiting.take(mark, most)
        self.closed_to = max(self.closed_to, mark)
        for at in range(0, 0 if rows is None else len(rows), _ROWS_AT_ONCE):
            assert rows is not None
            yield rows.take(slice(at, at + _ROWS_AT_ONCE))

    def _run(self, rows: Piece) -> tuple[Run, Index]:
        """The rows key by key, and their places; what keys knew before stays as it is until `_note`."""
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
        value = values_of(rows.columns, self.section.model.field)[order]
        return Run(key, start, count, owner, value, before, time, anew), order

    def _note(self, run: Run) -> None:
        """Keys have seen the rows."""
        keys, key, ends = self.keys, run.key, run.start + run.count - 1
        keys.last[key], keys.seen[key], keys.touched[key] = run.time[ends], run.before[ends] + 1, True

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


def values_of(columns: Columns, field: str) -> Floats:
    """float64[n] within bounds; never -0.0, whose place among zeros is up to who sorts."""
    column = columns[field]
    assert isinstance(column, Numbers)
    return np.clip(column.values.astype(np.float64), -_LARGEST_VALUE, _LARGEST_VALUE) + 0.0
