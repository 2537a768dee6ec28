"""Rows of models and alarms: routed by their key in prepare, and put to wait for the watermark in merge."""

from __future__ import annotations

import numpy as np

from lepton_stream.account import Account
from lepton_stream.columns import Columns, Index, Mask, Numbers, Text, is_valid, take
from lepton_stream.core.job import Job
from lepton_stream.errors import IntegrityError
from lepton_stream.models.ordered import OrderedTable
from lepton_stream.models.section import OrderedSection
from lepton_stream.models.waiting import Piece
from lepton_stream.shuffle.frame import Part, RowsPart, split
from lepton_stream.shuffle.routing import cells, partitions_of
from lepton_stream.wire import FOREIGN


def model_parts(
    job: Job, section: OrderedSection, columns: Columns, time: Index, offsets: Index, keep: Mask
) -> list[Part]:
    """One part a shuffle partition, always as rows; those without a value are left out."""
    field, by = section.model.field, section.model.by
    rows = np.flatnonzero(keep & is_valid(columns[field]))
    named = {name: take(columns[name], rows) for name in section.columns}
    named[field] = _without_gaps(named[field])
    part = RowsPart(named, time[rows], offsets[rows])
    if job.partitions == 1:
        return [part]
    grouped = cells([named[name] for name in by], np.zeros(len(rows), np.int64), job.key)
    target = partitions_of(named, by, grouped.first, job.partitions)
    return split(part, target[grouped.code], job.partitions)


def _without_gaps(column: Text | Numbers) -> Numbers:
    assert isinstance(column, Numbers)
    return Numbers(column.values)


def wait_for_time(table: OrderedTable, source: int, part: Part, account: Account) -> None:
    """Take the rows of a frame in; those that idleness has overtaken are counted as late.

    Raises IntegrityError for a part that prepare cannot have made.
    """
    model = table.section.model
    if not isinstance(part, RowsPart) or not isinstance(part.columns.get(model.field), Numbers):
        raise IntegrityError(f"frame: rows of model {model.name} are none; {FOREIGN}")
    gone = table.too_late(part.time)
    if gone.any():
        account.late_by_window[model.name] += int(np.count_nonzero(gone))
        part = part.take(np.flatnonzero(~gone))
    named = {name: part.columns[name] for name in table.section.columns}
    table.waiting.add(Piece(named, part.time, np.full(len(part), source, np.int64), part.offset))
