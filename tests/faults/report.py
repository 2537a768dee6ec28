"""What the rows found, as a table for the terminal and for docs/promises.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf

from tests.faults.matrix import MATRIX


@dataclass
class Entry:
    """One test of a row. `proofs`: what each blow hit; `times`: (goal, seconds); `counts`: what was checked."""

    row: str
    test: str
    seed: int
    proofs: list[str] = field(default_factory=list)
    times: list[tuple[str, float]] = field(default_factory=list)
    counts: str = ""
    verdict: str = "not judged"


GOALS = {
    "graceful move": 3.0,
    "kill -9": 15.0,
    "kill -9, session of 2 s": 15.0,
    "static restart": 5.0,
    "broker restart": 5.0,
    "woken from a freeze": 5.0,
    "restore of 10,000 groups, 1,000,000 ids": inf,
    "restore of 100,000 groups, 1,000,000 ids": inf,
    "restore of 1,000,000 groups, 1,000,000 ids": 10.0,
}
"""Seconds at most. A broker's restart: after it answers again. kill -9: with the default session, 10 s, or as named."""


def rows_table(entries: Iterable[Entry]) -> str:
    """One line a row of the matrix, tested now or not."""
    tested: dict[str, list[Entry]] = {}
    for entry in entries:
        tested.setdefault(entry.row, []).append(entry)
    lines = ["| Row | Fault | Verdict | What the fault hit | What was checked |", "| --- | --- | --- | --- | --- |"]
    for row in MATRIX:
        found = tested.get(row.number, [])
        if not found:
            lines.append(f"| {row.number} | {row.fault} | {row.kind} | | {row.note} |")
        for e in found:
            first = "; ".join(e.proofs[:2]) + (f"; {len(e.proofs) - 2} more" if len(e.proofs) > 2 else "")
            lines.append(f"| {row.number} | {row.fault} | {e.verdict} (seed {e.seed}) | {first} | {e.counts} |")
    return "\n".join(lines)


def times_table(entries: Iterable[Entry]) -> str:
    """Recovery times against their goals."""
    measured: dict[str, list[float]] = {}
    for entry in entries:
        for goal, seconds in entry.times:
            measured.setdefault(goal, []).append(seconds)
    lines = ["| Recovery | Goal | Measured: least, most | Times |", "| --- | --- | --- | --- |"]
    for name, limit in GOALS.items():
        if found := measured.get(name):
            goal = f"{limit:g} s" if limit < inf else ""
            lines.append(f"| {name} | {goal} | {min(found):.1f} s, {max(found):.1f} s | {len(found)} |")
    return "\n".join(lines)
