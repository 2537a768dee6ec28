"""The value of a field in the earliest and in the latest record of a group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lepton_stream.columns import Index
from lepton_stream.kernels.kernel import Rows, State, present


@dataclass(frozen=True, slots=True)
class Edge:
    """The earliest (`sign` = 1) or latest (`sign` = -1) value; nulls are left out.

    Records are ordered by (event time, source partition, offset), so that there are no ties and the result does not
    depend on how partitions interleave.

    Input   float64[n] or int64[n], unit u.     State   33 bytes a group.
    Result  value [u], None without values.     Error   none.
    """

    field: str
    sign: int
    _names: ClassVar[dict[int, str]] = {1: "first", -1: "last"}
    _order: ClassVar[tuple[str, ...]] = ("time", "source", "offset")

    @property
    def key(self) -> str:
        """`first.1(field)` or `last.1(field)`."""
        return f"{self._names[self.sign]}.1({self.field})"

    def fill(self, name: str) -> int | float | bool:
        """Zero: what an unseen group holds is never read."""
        return False if name == "seen" else 0

    def empty(self, groups: int) -> State:
        """State of groups without values. The array of the field's type comes with the first value."""
        order = {name: np.zeros(groups, np.int64) for name in self._order}
        return {"seen": np.zeros(groups, np.bool_), **order}

    def update(self, state: State, groups: Index, rows: Rows) -> None:
        """Take in the values that are there."""
        where, values = present(groups, rows, self.field)
        valid = rows.columns[self.field].valid
        keep = slice(None) if valid is None else valid
        name = "int" if values.dtype == np.int64 else "float"
        place = {"time": rows.time[keep], "source": rows.source[keep], "offset": rows.offset[keep]}
        self.merge(state, where, {"seen": np.ones(len(where), np.bool_), **place, name: values})

    def merge(self, state: State, groups: Index, other: State) -> None:
        """Keep the earlier (later) record."""
        seen = other["seen"]
        groups, other = groups[seen], {name: array[seen] for name, array in other.items()}
        if not len(groups):
            return
        order = np.lexsort((*(self._rank(other[name]) for name in reversed(self._order)), groups))
        best = order[np.unique(groups[order], return_index=True)[1]]
        target = groups[best]
        wins = ~state["seen"][target] | self._before(other, best, state, target)
        best, target = best[wins], target[wins]
        for name in other:
            if name not in state:
                state[name] = np.zeros(len(state["seen"]), other[name].dtype)
            state[name][target] = other[name][best]

    def _rank(self, place: Index) -> Index:
        """Ascending towards the edge that is not wanted; ~ turns the order round and, unlike -, never overflows."""
        return place if self.sign > 0 else ~place

    def _before(self, left: State, a: Index, right: State, b: Index) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether left's groups a come before right's groups b, in the sense of `sign`."""
        less, same = np.zeros(len(a), np.bool_), np.ones(len(a), np.bool_)
        for name in self._order:
            x, y = self._rank(left[name][a]), self._rank(right[name][b])
            less |= same & (x < y)
            same &= x == y
        return less
