"""How the rows of a window section travel to their shuffle partitions, and what was seen of them on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lepton_stream.columns import Index, Mask, take, take_all
from lepton_stream.core.aggregate import aggregate, cells_of, states_of
from lepton_stream.core.job import Job, Route
from lepton_stream.kernels.kernel import Rows
from lepton_stream.shuffle.frame import Part, PartialsPart, RowsPart, split
from lepton_stream.shuffle.routing import Cells, partitions_of
from lepton_stream.windows.section import Section


@dataclass(frozen=True, slots=True)
class SectionSeen:
    """Of one window section in one range.

    `route`: how it travelled. `rows`: that entered the section; `cells`: different (group, window) among them.
    `hot_rows`, `hot_cells`: those of cells of two rows and more, which `mixed` sends as partials.
    """

    route: Route
    rows: int
    cells: int
    hot_rows: int
    hot_cells: int


class Routed(NamedTuple):
    """(shuffle partition, part of it) pairs, some of them empty."""

    parts: list[tuple[int, Part]]
    seen: SectionSeen


def routed(job: Job, section: Section, rows: Rows, route: Route) -> Routed:
    """The section's rows, or the partials of their cells, or both, for the shuffle partitions of their groups."""
    grouped = cells_of(job, section, rows)
    target = partitions_of(rows.columns, section.window.group_by, grouped.first, job.partitions)
    count = np.bincount(grouped.code, minlength=len(grouped))
    hot = count > 1
    hot_cells = int(np.count_nonzero(hot))
    cold = len(grouped) - hot_cells  # as many rows as cells
    seen = SectionSeen(route, len(rows.time), len(grouped), len(rows.time) - cold, hot_cells)
    job.lap("group")
    travelling = []
    if route == "partials" or (route == "mixed" and not cold):
        travelling.append(split(aggregate(section, rows, grouped, count), target, job.partitions))
    elif route == "rows" or not hot_cells:
        travelling.append(split(_plain(rows), target[grouped.code], job.partitions))
    else:
        travelling.append(split(_hot(section, rows, grouped, count, hot), target[hot], job.partitions))
        alone = grouped.first[~hot]
        travelling.append(split(_plain(rows).take(alone), target[~hot], job.partitions))
    job.lap("aggregate")
    return Routed([pair for parts in travelling for pair in enumerate(parts)], seen)


def _plain(rows: Rows) -> RowsPart:
    return RowsPart(rows.columns, rows.time, rows.offset)


def _hot(section: Section, rows: Rows, grouped: Cells, count: Index, hot: Mask) -> PartialsPart:
    """The partials of these cells alone. `count` int64[m]: rows of each cell."""
    taken = np.flatnonzero(hot[grouped.code])
    own = Rows(take_all({name: rows.columns[name] for name in section.fields}, taken),
               rows.time[taken], rows.source[taken], rows.offset[taken])  # fmt: skip
    code = (np.cumsum(hot) - 1)[grouped.code[taken]]
    first = grouped.first[hot]
    group = {name: take(rows.columns[name], first) for name in section.window.group_by}
    return PartialsPart(group, grouped.window[hot], count[hot], states_of(section, own, code, len(first)))
