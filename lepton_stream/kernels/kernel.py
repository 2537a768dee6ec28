"""What a kernel is: a commutative monoid over columns, grouped.

A kernel's state for many groups is a dict of arrays with one row a group (or of entries, see `entries`), so that one
call updates thousands of groups. All arithmetic on states is exact or order-free: whatever way the rows are cut into
chunks, partitions and partials, the state means the same and `result` gives the same bytes. (`frequent` is the one
exception, and says how far.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Columns, Index, Numbers
from lepton_stream.kernels import entries

Array: TypeAlias = NDArray[Any]
State: TypeAlias = dict[str, Array]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Accepted records as columns, n long. `time`: event time, microseconds; `source`: its partition's ordinal."""

    columns: Columns
    time: Index
    source: Index
    offset: Index

    def __len__(self) -> int:
        return len(self.time)


class Kernel(Protocol):
    """Laws, tested over every registered kernel in tests/kernels/test_laws.py.

    Merging an empty state changes nothing; merge commutes and associates; any cut of the rows gives the same results;
    load(dump(state)) is the state. All bit for bit.
    """

    @property
    def key(self) -> str:
        """Name, version and field: tells states apart in a table and in a checkpoint, as in `sum.1(pm25)`."""
        ...

    def fill(self, name: str) -> int | float | bool:
        """What the array `name` of a state holds for a group without rows."""
        ...

    def empty(self, groups: int) -> State:
        """State of groups that have seen no row."""
        ...

    def update(self, state: State, groups: Index, rows: Rows) -> None:
        """Add the rows in place; row i belongs to group `groups[i]`."""
        ...

    def merge(self, state: State, groups: Index, other: State) -> None:
        """Add another state in place; its group i belongs to `groups[i]`, which may repeat."""
        ...


def present(groups: Index, rows: Rows, field: str) -> tuple[Index, Array]:
    """Groups and values of the rows where a number field is there."""
    column = rows.columns[field]
    assert isinstance(column, Numbers), f"{field} is text: the plan's check let it through"
    if column.valid is None:
        return groups, column.values
    return groups[column.valid], column.values[column.valid]


def size(state: State) -> int:
    """Number of groups."""
    return len(next(array for name, array in state.items() if not entries.is_entries(name)))


def grow(kernel: Kernel, state: State, groups: int) -> None:
    """Room for that many groups, the new ones empty."""
    for name, array in state.items():
        if not entries.is_entries(name):
            wider = np.full(groups, kernel.fill(name), array.dtype)
            wider[: len(array)] = array
            state[name] = wider


def take(state: State, groups: Index) -> State:
    """The named groups, in that order."""
    taken = {name: array[groups] for name, array in state.items() if not entries.is_entries(name)}
    for layer in entries.each(state):
        entries.push(taken, entries.take_groups(layer, groups))
    return taken


def replace(kernel: Kernel, state: State, groups: Index, new: State) -> None:
    """Put the state of the groups of `new` in place of what the named groups, all different, hold."""
    layered = entries.layers(state) + entries.layers(new) > 0
    count = size(state)
    for name in new.keys() - state.keys():
        if not entries.is_entries(name):
            state[name] = np.full(count, kernel.fill(name), new[name].dtype)
    for name, array in state.items():
        if not entries.is_entries(name):
            array[groups] = kernel.fill(name) if layered or name not in new else new[name]
    if layered:
        entries.drop(state, groups, count)
        kernel.merge(state, groups, new)


def check(state: State, groups: int) -> None:
    """Raises ValueError or KeyError if this cannot be the state of so many groups: its bytes were damaged."""
    if any(len(array) != groups for name, array in state.items() if not entries.is_entries(name)):
        raise ValueError("the arrays of a state differ in length")
    entries.check(state, groups)
