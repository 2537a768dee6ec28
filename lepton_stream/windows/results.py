"""Results: what is published of a window, as columns and as flat records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lepton_stream.columns import Index, Numbers, Told, listed, take_all, told_rows, told_together
from lepton_stream.expression.made import constant
from lepton_stream.windows.derived import derived_columns
from lepton_stream.windows.fixed import end_of, start_of
from lepton_stream.windows.order import order_of
from lepton_stream.windows.table import Table

_MS = 1000  # microseconds


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """Results of one window section and one checkpoint, ordered by window, then group.

    `values`: of equal length, by name: the group fields, `window_start` and `window_end` (epoch milliseconds) and the
    result columns. `final`: whether the windows are closed. `version`: the checkpoint's number.
    """

    window: str
    group_by: tuple[str, ...]
    values: Mapping[str, Told]
    final: bool
    version: int

    def __len__(self) -> int:
        return len(self.values["window_start"])

    def by_end(self) -> list[tuple[int, int]]:
        """(when a window ends, epoch milliseconds; how many of these results are of it), ascending."""
        ends, counts = np.unique(_integers(self.values["window_end"]), return_counts=True)
        return list(zip(ends.tolist(), counts.tolist(), strict=True))

    def told(self) -> dict[str, Told]:
        """All that a record has, in the order of the design: group, window, result columns, final, version."""
        n = len(self)
        first = (*self.group_by, "window", "window_start", "window_end")
        same = {"window": constant(self.window, "str", n), "final": constant(self.final, "bool", n)}
        same["version"] = constant(self.version, "int", n)
        names = (*first, *(name for name in self.values if name not in first), "final", "version")
        return {name: same[name] if name in same else self.values[name] for name in names}

    def rows(self) -> Iterator[dict[str, Any]]:
        """One flat record a result."""
        lists = {name: listed(values) for name, values in self.told().items()}
        for row in zip(*lists.values(), strict=True):
            yield dict(zip(lists, row, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Closed:
    """`final`: rows of the table whose final results are among `results`; `gone`: rows that left."""

    results: list[Results]
    final: Index
    gone: Index


def close(table: Table, mark: int, version: int, most: int | None = None) -> Closed:
    """Results of the windows that end by `mark`, at most so many cells.

    With emit = "updates" also those of open windows that changed.
    """
    done = table.closable(mark, most)
    batches = [_read(table, done, version, final=True)] if len(done) else []
    if table.section.window.emit == "updates":
        changed = table.changed_open(done)
        if len(changed):
            batches.append(_read(table, changed, version, final=False))
    return Closed(batches, done, table.settled(done, mark))


def _read(table: Table, rows: Index, version: int, *, final: bool) -> Results:
    window, groups = table.section.window, table.group(rows)
    order = order_of(table.window[rows], [groups[name] for name in window.group_by])
    rows, groups = rows[order], take_all(groups, order)
    number = table.window[rows]
    start, results = start_of(window, number), table.read(rows)
    values: dict[str, Told] = {
        **groups,
        "window_start": Numbers(start // _MS),
        "window_end": Numbers(end_of(window, number) // _MS),
        **results,
        **derived_columns(window.derived, groups, results, start),
    }
    return Results(window.name, window.group_by, values, final, version)


def together(batches: list[Results]) -> list[Results]:
    """Batches of several shuffle partitions as one a window section, ordered as a single partition would give them."""
    kinds: dict[tuple[str, bool], list[Results]] = {}
    for batch in batches:
        kinds.setdefault((batch.window, batch.final), []).append(batch)
    return [same[0] if len(same) == 1 else _joined(same) for same in kinds.values()]


def _integers(values: Told) -> Index:
    return np.asarray(values.values if isinstance(values, Numbers) else listed(values), np.int64)


def _joined(batches: list[Results]) -> Results:
    first = batches[0]
    values = {name: told_together([batch.values[name] for batch in batches]) for name in first.values}
    order = order_of(_integers(values["window_start"]), [values[name] for name in first.group_by])
    ordered = {name: told_rows(column, order) for name, column in values.items()}
    version = max(batch.version for batch in batches)
    return Results(first.window, first.group_by, ordered, first.final, version)
