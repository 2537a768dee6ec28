"""The smallest and the largest value of a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Index
from lepton_stream.kernels.kernel import Rows, State, present


@dataclass(frozen=True, slots=True)
class Extreme:
    """The smallest (`sign` = 1) or largest (`sign` = -1) value; nulls are left out, -0.0 counts as 0.0.

    Input   float64[n] finite, or int64[n], unit u.    State   17 bytes a group.
    Result  value [u], None without values.            Error   none.

    Integers and floats are held in arrays of their own; a field is one or the other.
    """

    field: str
    sign: int
    _names: ClassVar[dict[int, str]] = {1: "min", -1: "max"}

    @property
    def key(self) -> str:
        """`min.1(field)` or `max.1(field)`."""
        return f"{self._names[self.sign]}.1({self.field})"

    def fill(self, name: str) -> int | float | bool:
        """The far end of the array's type."""
        if name == "float":
            return self.sign * np.inf
        if name == "int":
            return int(np.iinfo(np.int64).max if self.sign > 0 else np.iinfo(np.int64).min)
        return False

    def empty(self, groups: int) -> State:
        """State of groups without values. The array of the field's type comes with the first value."""
        return {"seen": np.zeros(groups, np.bool_)}

    def update(self, state: State, groups: Index, rows: Rows) -> None:
        """Take in the values that are there."""
        where, values = present(groups, rows, self.field)
        name = "int" if values.dtype == np.int64 else "float"
        self._take_in(state, name, where, values if name == "int" else values + 0.0)
        state["seen"][where] = True

    def merge(self, state: State, groups: Index, other: State) -> None:
        """Keep the more extreme value."""
        for name in other.keys() & {"int", "float"}:
            self._take_in(state, name, groups, other[name])
        np.logical_or.at(state["seen"], groups, other["seen"])

    def _take_in(self, state: State, name: str, groups: Index, values: NDArray[Any]) -> None:
        if name not in state:
            state[name] = np.full(len(state["seen"]), self.fill(name), values.dtype)
        (np.minimum if self.sign > 0 else np.maximum).at(state[name], groups, values)
