"""From the state of a shuffle partition to results, and to the delta that lets another owner go on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lepton_stream.core.delta import Selection, dump
from lepton_stream.core.fold import PartitionState
from lepton_stream.core.job import Job
from lepton_stream.core.model_delta import settle
from lepton_stream.core.scoring import score, scoring
from lepton_stream.models.events import Events
from lepton_stream.windows.results import Results, close
from lepton_stream.windows.table import Table


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`number` counts from 1 and is the version of the results, one batch a window section that has any.

    `delta`: bytes for the state log, empty if none were asked for. `more`: whether windows wait to be closed, or
    rows to be scored. `events`: one batch a model that has any.
    """

    number: int
    results: list[Results]
    delta: bytes = b""
    more: bool = False
    events: list[Events] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of the unchanged cells a delta carries: slice `number` of `of`."""

    number: int
    of: int


def checkpoint(state: PartitionState, most: int | None = None) -> Checkpoint:
    """Close and score what the watermark allows; when every source has ended, everything.

    `most`: at most so many cells a window section, and about so many rows a model.
    """
    state.number += 1
    batches: list[Results] = []
    more = False
    for table in state.tables:
        batches += close(table, _mark(state, table), state.number, most).results
        more |= len(table.closable(_mark(state, table), 1)) > 0
        table.sweep()
    _count(state, batches)
    events, left = score(state, most)
    for model in state.models:
        model.keys.drop(model.forgotten())
        settle(model)
    return Checkpoint(state.number, batches, more=more or left, events=events)


def durable_checkpoint(job: Job, state: PartitionState, turn: Slice | None, most: int | None = None) -> Checkpoint:
    """`checkpoint` with the delta. `turn`: the slice of unchanged cells to carry along, if any."""
    state.number += 1
    batches: list[Results] = []
    chosen: list[Selection] = []
    more = False
    for table in state.tables:
        touched = table.touched_rows()
        closed = close(table, _mark(state, table), state.number, most)
        batches += closed.results
        more |= len(table.closable(_mark(state, table), 1)) > 0
        kept = np.union1d(touched, closed.final)
        kept = kept[table.held[kept]]
        if turn is not None:
            kept = np.union1d(kept, table.slice_rows(turn.number, turn.of))
        chosen.append(Selection(kept, closed.gone))
    _count(state, batches)
    events, left = score(state, most)
    delta = dump(job, state, chosen, None if turn is None else (turn.number, turn.of))
    for table in state.tables:
        table.sweep()
    for model in state.models:
        settle(model)
    return Checkpoint(state.number, batches, delta, more or left, events)


def _count(state: PartitionState, batches: list[Results]) -> None:
    for batch in batches:
        state.published += len(batch)
        state.by_window[batch.window] += len(batch)


def waiting(state: PartitionState) -> bool:
    """Whether there are windows that the next checkpoint would close, or rows that it would score."""
    return scoring(state) or any(len(table.closable(_mark(state, table), 1)) for table in state.tables)


def closing(state: PartitionState) -> bool:
    """The same, as far as can be told without looking at every cell; it may be wrong until the next checkpoint."""
    return scoring(state) or any(table.may_close(_mark(state, table)) for table in state.tables)


def _mark(state: PartitionState, table: Table) -> int:
    return state.mark_for(table, table.section.window.lateness_us)
