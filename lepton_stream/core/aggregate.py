"""Rows to partials: what prepare does before the shuffle, and fold after it."""

from __future__ import annotations

import numpy as np

from lepton_stream.columns import Index, take
from lepton_stream.core.job import Job
from lepton_stream.kernels.kernel import Rows, State
from lepton_stream.shuffle.frame import PartialsPart
from lepton_stream.shuffle.routing import Cells, cells
from lepton_stream.windows.fixed import number_of
from lepton_stream.windows.section import Section


def cells_of(job: Job, section: Section, rows: Rows) -> Cells:
    """Which of the section's rows share group and window."""
    group = [rows.columns[name] for name in section.window.group_by]
    return cells(group, number_of(section.window, rows.time), job.key)


def aggregate(section: Section, rows: Rows, grouped: Cells, count: Index | None = None) -> PartialsPart:
    """The states of the cells that the rows fall into. `count` int64[m]: rows of each cell, where they are known."""
    if count is None:
        count = np.bincount(grouped.code, minlength=len(grouped))
    group = {name: take(rows.columns[name], grouped.first) for name in section.window.group_by}
    return PartialsPart(group, grouped.window, count, states_of(section, rows, grouped.code, len(grouped)))


def states_of(section: Section, rows: Rows, code: Index, cells: int) -> dict[str, State]:
    """By kernel key, the states of so many cells. `code` int64[n]: each row's cell."""
    states = {}
    for kernel in section.kernels:
        states[kernel.key] = kernel.empty(cells)
        kernel.update(states[kernel.key], code, rows)
    return states
