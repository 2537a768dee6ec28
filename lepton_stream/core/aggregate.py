"""Rows to partials: what prepare does before the shuffle, and fold after it."""

from __future__ import annotations

import numpy as np

from lepton_stream.columns import take
from lepton_stream.core.job import Job
from lepton_stream.kernels.kernel import Rows
from lepton_stream.shuffle.frame import PartialsPart
from lepton_stream.shuffle.routing import Cells, cells
from lepton_stream.windows.fixed import number_of
from lepton_stream.windows.section import Section


def cells_of(job: Job, section: Section, rows: Rows) -> Cells:
    """Which of the section's rows share group and window."""
    group = [rows.columns[name] for name in section.window.group_by]
    return cells(group, number_of(section.window, rows.time), job.key)


def aggregate(section: Section, rows: Rows, grouped: Cells) -> PartialsPart:
    """The states of the cells that the rows fall into."""
    states = {}
    for kernel in section.kernels:
        states[kernel.key] = kernel.empty(len(grouped))
        kernel.update(states[kernel.key], grouped.code, rows)
    group = {name: take(rows.columns[name], grouped.first) for name in section.window.group_by}
    return PartialsPart(group, grouped.window, np.bincount(grouped.code, minlength=len(grouped)), states)
