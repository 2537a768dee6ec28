"""How many rows a group has, and in how many of them a field is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lepton_stream.columns import Index
from lepton_stream.kernels.kernel import Rows, State


@dataclass(frozen=True, slots=True)
class Count:
    """Rows of a group; with a field, rows where the field is there.

    Input   any rows.          State   8 bytes a group.
    Result  rows, exact.       Error   none.
    """

    field: str | None = None

    @property
    def key(self) -> str:
        """`count.1(*)` or `count.1(field)`."""
        return f"count.1({self.field or '*'})"

    def fill(self, name: str) -> int:
        """No rows."""
        return 0

    def empty(self, groups: int) -> State:
        """State of groups without rows."""
        return {"rows": np.zeros(groups, np.int64)}

    def update(self, state: State, groups: Index, rows: Rows) -> None:
        """Count the rows."""
        valid = None if self.field is None else rows.columns[self.field].valid
        there = groups if valid is None else groups[valid]
        state["rows"] += np.bincount(there, minlength=len(state["rows"]))

    def merge(self, state: State, groups: Index, other: State) -> None:
        """Add counts."""
        np.add.at(state["rows"], groups, other["rows"])
