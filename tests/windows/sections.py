"""A window section with a table, fed cell by cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lepton_stream.columns import Columns, Index, Numbers, text_from_strings
from lepton_stream.dedup.fingerprint import Key
from lepton_stream.kernels.kernel import Rows, State
from lepton_stream.pipeline.plan import Call, Emit, Field, Plan, Source, Window
from lepton_stream.shuffle.routing import prints_of
from lepton_stream.windows.section import Section, sections
from lepton_stream.windows.table import Table

KEY = Key(3, 4)
MS = 1000
SIZE = 10 * MS
RESULTS = (("n", Call("count")), ("total", Call("sum", ("v",))), ("top", Call("max", ("v",))))
Cell = tuple[str, int]


def section(*, grace: int = 0, emit: Emit = "final", group_by: tuple[str, ...] = ("g",)) -> Section:
    """Windows of 10 ms over `v`, per `g`."""
    window = Window("w", SIZE, group_by, RESULTS, grace_us=grace, emit=emit)
    fields = (Field("g", "str"), Field("t", "int"), Field("v", "int"))
    return sections(Plan("p", Source("topic", "t"), fields, (window,)))[0]


def groups(cells: Sequence[Cell], group_by: tuple[str, ...] = ("g",)) -> Columns:
    """The group columns of these cells."""
    return {name: text_from_strings([g for g, _ in cells]) for name in group_by}


def rows_of(table: Table, cells: Sequence[Cell]) -> Index:
    """The table's row of each cell; no two are the same."""
    group = groups(cells, table.section.window.group_by)
    window = np.array([w for _, w in cells], np.int64)
    return table.rows_for(prints_of(list(group.values()), window, KEY), window, group)


def add(table: Table, cells: Sequence[Cell], values: Sequence[int]) -> None:
    """One record a cell."""
    n = len(cells)
    zeros = np.zeros(n, np.int64)
    rows = Rows({"v": Numbers(np.array(values, np.int64))}, zeros, zeros, np.arange(n))
    partials: dict[str, State] = {}
    for kernel in table.section.kernels:
        partials[kernel.key] = kernel.empty(n)
        kernel.update(partials[kernel.key], np.arange(n), rows)
    table.add_partials(rows_of(table, cells), partials)
