"""From frames to the state of a shuffle partition."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from lepton_stream import wire
from lepton_stream.account import Account
from lepton_stream.core.aggregate import aggregate, cells_of
from lepton_stream.core.job import Job
from lepton_stream.core.model_rows import wait_for_time
from lepton_stream.dedup.fingerprint import Fingerprints
from lepton_stream.errors import IntegrityError
from lepton_stream.kernels.kernel import Rows
from lepton_stream.models.ordered import OrderedTable
from lepton_stream.models.table import table_of
from lepton_stream.pipeline.plan_hash import remedy
from lepton_stream.shuffle.frame import Frame, Part, PartialsPart, RowsPart
from lepton_stream.shuffle.routing import mixed, prints_of, prints_of_groups
from lepton_stream.windows.fixed import first_of
from lepton_stream.windows.table import Table
from lepton_stream.windows.watermark import Progress, watermark

UNKNOWN = -1
"""The next offset of a source of which no frame was seen: its first frame tells where it begins."""


@dataclass(slots=True)
class PartitionState:
    """What merge knows of one shuffle partition: the tables, the progress of every source, the account it keeps.

    `number`: of the last checkpoint; `published`: results in all checkpoints so far, `by_window` the same by window
    section (state that an older build wrote does not know it of several sections: there it begins at nothing). `era`:
    the highest number of a run that a frame has told. `scored`, `events`: rows scored and events published, by model.
    """

    tables: list[Table]
    progress: dict[int, Progress]
    account: dict[int, Account] = field(default_factory=dict)
    number: int = 0
    published: int = 0
    by_window: Counter[str] = field(default_factory=Counter)
    era: int = 0
    models: list[OrderedTable] = field(default_factory=list)
    scored: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)

    @classmethod
    def empty(cls, job: Job, sources: dict[int, int]) -> PartitionState:
        """Before the first frame. `sources`: the offset at which each source partition begins, or UNKNOWN."""
        tables, models = [Table(s) for s in job.sections], [table_of(m, job.key) for m in job.models]
        return cls(tables, {s: Progress(next=at) for s, at in sources.items()}, models=models)

    @property
    def holders(self) -> list[Table | OrderedTable]:
        """All that takes memory."""
        return [*self.tables, *self.models]

    @property
    def ended(self) -> bool:
        """Whether every source has ended in the run that goes on now."""
        return all(p.ended and not p.earlier for p in self.progress.values())

    def mark_for(self, holder: Table | OrderedTable, lateness_us: int) -> int:
        """Up to where time has passed for a table: past all that it holds once every source has ended."""
        if self.ended:  # every open window closes, and none that could still come
            return holder.latest_end()
        return self.heard(lateness_us)

    def heard(self, lateness_us: int) -> int:
        """Before which event time nothing is still to come, the same in every shuffle partition.

        At the end of a run, unlike `mark_for`, it is not past what this partition holds: what silence says hangs on it.
        """
        return watermark(self.progress.values()) - (0 if self.ended else lateness_us)


def fold(job: Job, state: PartitionState, frame: Frame) -> bool:
    """Move the state on by a frame; False if the frame is a repetition and nothing was done.

    Raises IntegrityError for a frame of another plan, a hole or an overlap: going on would count wrongly.
    """
    progress = _expected(job, state, frame)
    if progress is None:
        return False
    if any(not 0 <= number < len(job.sections) + len(job.models) for number, _ in frame.parts):
        raise IntegrityError(f"frame: it speaks of a window section that the plan does not have; {wire.FOREIGN}")
    for number, part in frame.parts:
        _fold_part(job, state, frame.source, number, part)
    if frame.account is not None:
        state.account.setdefault(frame.source, Account()).add(frame.account)
    progress.next = frame.end
    progress.high = max(progress.high, frame.high)
    progress.idle = max(progress.idle, frame.idle)
    _note_run(state, frame)
    # a range that follows an end begins another run; a heartbeat that says nothing of the end leaves it as it was
    progress.ended = frame.ended or (progress.ended and frame.start == frame.end)
    if frame.ended:
        progress.era = max(progress.era, frame.era)  # a zombie may tell an end that it has claimed in an earlier run
    if frame.start < frame.end or frame.ended:
        progress.earlier = progress.ended and progress.era < state.era
    return True


def _note_run(state: PartitionState, frame: Frame) -> None:
    """A new run has begun: what ended before may have more to send, and holds windows open until it has told.

    Where the broker keeps no metadata all runs have one number: there a range that follows the end of all tells it.
    """
    if frame.era <= state.era and not (state.ended and frame.start < frame.end):
        return
    state.era = max(state.era, frame.era)
    for progress in state.progress.values():
        progress.earlier = progress.ended


def _expected(job: Job, state: PartitionState, frame: Frame) -> Progress | None:
    if frame.plan != job.plan_hash:
        usual = "let the old plan finish (run it with --until-end), or give the changed one a new `version`"
        told = remedy(frame.plan, job.plan_hash, usual)
        raise IntegrityError(f"frame of plan {frame.plan}, this worker runs plan {job.plan_hash}: {told}")
    progress = state.progress.get(frame.source)
    if progress is None:
        raise IntegrityError(
            f"frame of source partition {frame.source}, which was not there when the counting began: keys have "
            "moved between partitions, and duplicates with them; nothing of it was counted. Give the plan a new "
            "`version`, which has a group and topics of its own"
        )
    s, start, end = frame.source, frame.start, frame.end
    if progress.next == UNKNOWN:
        return progress
    if start == end:  # a heartbeat counts only where the sender stands where we stand: a resumed zombie does not
        return progress if start == progress.next else None
    if end <= progress.next:
        return None
    if start != progress.next:
        kind = "hole" if start > progress.next else "overlap"
        raise IntegrityError(
            f"{kind} in source partition {s}: expected offset {progress.next}, got [{start}, {end}): frames were "
            f"lost or written by another program; nothing of it was counted; {wire.FOREIGN}"
        )
    return progress


def _fold_part(job: Job, state: PartitionState, source: int, number: int, part: Part) -> None:
    if number >= len(state.tables):
        account = state.account.setdefault(source, Account())
        wait_for_time(state.models[number - len(state.tables)], source, part, account)
        return
    section, table = job.sections[number], state.tables[number]
    if isinstance(part, RowsPart):
        rows = Rows(part.columns, part.time, np.full(len(part), source, np.int64), part.offset)
        part = aggregate(section, rows, cells_of(job, section, rows))
    gone = table.too_late(first_of(section.window, part.window))
    if gone.any():  # prepare accepted them, but idleness closed their windows, or the first of them, meanwhile
        account = state.account.setdefault(source, Account())
        account.late_by_window[section.window.name] += int(part.rows[gone].sum())
    if section.window.overlap > 1:
        _fold_panes(job, table, part)
        return
    if gone.any():
        part = part.take(np.flatnonzero(~gone))
    prints = prints_of([part.group[name] for name in section.window.group_by], part.window, job.key)
    table.add_partials(table.rows_for(prints, part.window, part.group), part.states)


def _fold_panes(job: Job, table: Table, part: PartialsPart) -> None:
    """Of hopping windows: add what fell between two starts (a pane) to every window that it lies in and that is open.

    One pass for each window of a pane: cells of one pass are different ones, and no state is held more than once.
    """
    window = table.section.window
    prints = prints_of_groups([part.group[name] for name in window.group_by], len(part), job.key)
    for back in range(window.overlap):
        number = part.window - back
        late = table.too_late(number)
        if late.all():  # so are those before
            return
        if late.any():
            open_ = np.flatnonzero(~late)
            part, number = part.take(open_), number[open_]
            prints = Fingerprints(prints.high[open_], prints.low[open_])
        table.add_partials(table.rows_for(mixed(prints, number), number, part.group), part.states)
