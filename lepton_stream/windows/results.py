"""Results: what is published of a window, as columns and as flat records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lepton_stream.columns import Columns, Index, to_list
from lepton_stream.windows.derived import derived_columns
from lepton_stream.windows.fixed import end_of, start_of
from lepton_stream.windows.table import Table

_MS = 1000  # microseconds


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """Results of one window section and one checkpoint, ordered by window, then group.

    `columns`: lists of equal length by name: the group fields, `window_start` and `window_end` (epoch milliseconds) and
    the result columns. `final`: whether the windows are closed. `version`: the checkpoint's number.
    """

    window: str
    group_by: tuple[str, ...]
    columns: dict[str, list[Any]]
    final: bool
    version: int

    def __len__(self) -> int:
        return len(self.columns["window_start"])

    def listed(self) -> dict[str, list[Any]]:
        """All that a record has, in the order of the design: group, window, result columns, final, version."""
        n = len(self)
        first = (*self.group_by, "window", "window_start", "window_end")
        told: dict[str, list[Any]] = {"window": [self.window] * n, "final": [self.final] * n}
        told["version"] = [self.version] * n
        names = (*first, *(name for name in self.columns if name not in first), "final", "version")
        return {name: told[name] if name in told else self.columns[name] for name in names}

    def rows(self) -> Iterator[dict[str, Any]]:
        """One flat record a result."""
        listed = self.listed()
        for row in zip(*listed.values(), strict=True):
            yield dict(zip(listed, row, strict=True))


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
    window = table.section.window
    groups: Columns = table.group(rows)
    start, results = start_of(window, table.window[rows]), table.read(rows)
    columns: dict[str, list[Any]] = {
        **{name: to_list(column) for name, column in groups.items()},
        "window_start": (start // _MS).tolist(),
        "window_end": (end_of(window, table.window[rows]) // _MS).tolist(),
        **results,
        **derived_columns(window.derived, groups, results, start),
    }
    return Results(window.name, window.group_by, _ordered(columns, window.group_by), final, version)


def _ordered(columns: dict[str, list[Any]], group_by: tuple[str, ...]) -> dict[str, list[Any]]:
    """By window, then group."""
    keys = list(zip(columns["window_start"], *(columns[name] for name in group_by), strict=True))
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return {name: [values[i] for i in order] for name, values in columns.items()}


def together(batches: list[Results]) -> list[Results]:
    """Batches of several shuffle partitions as one a window section, ordered as a single partition would give them."""
    kinds: dict[tuple[str, bool], list[Results]] = {}
    for batch in batches:
        kinds.setdefault((batch.window, batch.final), []).append(batch)
    return [same[0] if len(same) == 1 else _joined(same) for same in kinds.values()]


def _joined(batches: list[Results]) -> Results:
    first = batches[0]
    columns = {name: [v for batch in batches for v in batch.columns[name]] for name in first.columns}
    version = max(batch.version for batch in batches)
    return Results(first.window, first.group_by, _ordered(columns, first.group_by), first.final, version)
