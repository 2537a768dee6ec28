"""What a program wrote into its results topic, held against the truth of the workload."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.bench.published import Figures

Key = tuple[str, int]
TOLERANCE = 1e-9
"""Relative, of a mean: some sum in the order of arrival."""


@dataclass(frozen=True)
class Row:
    """One result: device and window start in ms; `change` is -1 where it takes an earlier one back."""

    key: Key
    figures: Figures
    version: int = 0
    change: int | None = None


def row_of(value: bytes) -> Row | None:
    """A result as the programs write it, or as we do; None where a record holds none."""
    told: dict[str, Any] = json.loads(value)
    if "window_start" in told:
        count, start, version = told["n"], told["window_start"], told["version"]
    else:
        count, start, version = told["count"], told["window"] and told["window"] * 1000, 0
    if count is None or start is None:
        return None
    figures = (int(count), told["mean"], told["min"], told["max"])
    return Row((told["device"], round(start)), figures, version, told.get("diff"))


@dataclass
class Outcome:
    """The newest result of every (device, minute). Windows behind the last one of the truth are of no interest:
    those of the flush events."""

    truth: Mapping[Key, Figures]
    rows: dict[Key, Row] = field(default_factory=dict)
    counted: int = 0
    _live: dict[Key, Counter[Figures]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._last = max(start for _, start in self.truth)
        self._records = sum(figures[0] for figures in self.truth.values())

    def take(self, row: Row) -> bool:
        """Take a result; False if it tells nothing about the windows of the truth."""
        if row.key[1] > self._last:
            return False
        before = self.rows.get(row.key)
        after = row if row.change is None else self._changed(row)
        if before is not None and after is not None and after.version < before.version:
            return True
        if after is None:
            self.rows.pop(row.key, None)
        else:
            self.rows[row.key] = after
        self.counted += (after.figures[0] if after else 0) - (before.figures[0] if before else 0)
        return True

    def _changed(self, row: Row) -> Row | None:
        """Of a program that writes updates: the result that stands after this one, in whatever order they come."""
        live = self._live.setdefault(row.key, Counter())
        live[row.figures] += row.change or 0
        standing = [figures for figures, times in live.items() if times > 0]
        return Row(row.key, standing[-1]) if standing else None

    @property
    def complete(self) -> bool:
        """Whether every window is there and all records are counted: nothing more is to come."""
        return len(self.rows) == len(self.truth) and self.counted == self._records

    @property
    def right(self) -> int:
        """How many windows have the right count, mean, min and max."""
        return sum(key in self.rows and same(self.rows[key].figures, wanted) for key, wanted in self.truth.items())

    @property
    def exact(self) -> bool:
        """Whether all windows are right and there is no other."""
        return self.right == len(self.truth) == len(self.rows)


def same(found: Figures, wanted: Figures) -> bool:
    """Count, min and max must be equal; the mean to within rounding."""
    mean = abs(found[1] - wanted[1]) <= TOLERANCE * abs(wanted[1])
    return mean and (found[0], *found[2:]) == (wanted[0], *wanted[2:])
