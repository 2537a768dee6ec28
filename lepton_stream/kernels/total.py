"""Exact sums and exact sums of squares of a field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lepton_stream.columns import Index
from lepton_stream.kernels import exact
from lepton_stream.kernels.kernel import Rows, State, present


class _ExactSum:
    """What exact sums have in common, whatever they are sums of."""

    __slots__ = ()

    def fill(self, name: str) -> int:
        """Zero in every limb."""
        return 0

    def empty(self, groups: int) -> State:
        """State of groups without rows: one zero limb, so that a state always knows its size."""
        return {exact.limb(0): np.zeros(groups, np.int64)}

    def merge(self, state: State, groups: Index, other: State) -> None:
        """Add sums."""
        exact.merge(state, groups, other)


def _book(state: State, added: State) -> None:
    """Add a chunk's sums, group by group."""
    exact.normalise(added)
    for name, limbs in added.items():
        state[name] = state[name] + limbs if name in state else limbs


@dataclass(frozen=True, slots=True)
class Total(_ExactSum):
    """The sum of a field; nulls are left out.

    Input   float64[n] finite, or int64[n], unit u.    State   8 bytes and 8 a touched limb (32 at ordinary sizes).
    Result  sum [u], rounded once; of integers exact   Error   half a unit in the last place, whatever the order;
            while it fits int64.                               of the mean 0.501 units.
    Source  see `exact`.
    """

    field: str

    @property
    def key(self) -> str:
        """`sum.1(field)`."""
        return f"sum.1({self.field})"

    def update(self, state: State, groups: Index, rows: Rows) -> None:
        """Add the values that are there."""
        where, values = present(groups, rows, self.field)
        added: State = {}
        if values.dtype == np.int64:
            exact.add_integers(added, where, values, len(state[exact.limb(0)]))
        else:
            exact.add_floats(added, where, values, len(state[exact.limb(0)]))
        _book(state, added)


@dataclass(frozen=True, slots=True)
class Squares(_ExactSum):
    """The sum of squares of a field; nulls are left out.

    Input   float64[n] finite, or int64[n], unit u.    State   8 bytes a touched limb (48 at ordinary sizes).
    Result  sum [u²], an integer times a power of 2.   Error   none: what is read off it rounds, once.
    Source  see `exact`.
    """

    field: str

    @property
    def key(self) -> str:
        """`squares.1(field)`."""
        return f"squares.1({self.field})"

    def update(self, state: State, groups: Index, rows: Rows) -> None:
        """Add the squares of the values that are there."""
        where, values = present(groups, rows, self.field)
        added: State = {}
        add = exact.add_integer_squares if values.dtype == np.int64 else exact.add_squares
        add(added, where, values, len(state[exact.limb(0)]))
        _book(state, added)
