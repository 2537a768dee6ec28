"""What the rows found, as tables for the terminal and for docs/promises.md."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from tests.faults.matrix import MATRIX, Row


class Goal(NamedTuple):
    """Seconds at most, and what is measured."""

    seconds: float
    means: str


COUNTED = "until all that was in the source at the fault is counted"
GOALS = {
    "graceful move": Goal(3.0, f"from SIGTERM, {COUNTED}"),
    "kill -9": Goal(15.0, f"from the kill, {COUNTED}; the default session of 10 s"),
    "kill -9, session of 2 s": Goal(15.0, "the same, with a shorter session"),
    "static restart": Goal(5.0, f"from the kill of a worker with `--static-id`, {COUNTED}"),
    "broker restart": Goal(5.0, f"beyond its downtime: from its first answer, {COUNTED}"),
    "broker back": Goal(15.0, "from its first answer after more than a minute, in which its workers gave up; the same"),
    "broker thawed": Goal(10.0, f"from SIGCONT to the broker, {COUNTED}"),
    "connections reset": Goal(5.0, f"from the reset, {COUNTED}"),
    "network healed": Goal(5.0, "from the end of a cut of 12 s, until the worker has joined again or has ended"),
    "woken from a freeze": Goal(5.0, "from SIGCONT, until the worker has joined again or has ended"),
    "restore of 10,000 groups, 1,000,000 ids": Goal(inf, "from the assignment until one worker has all state again"),
    "restore of 100,000 groups, 1,000,000 ids": Goal(inf, "the same"),
    "restore of 1,000,000 groups, 1,000,000 ids": Goal(10.0, "the same; events of 126 bytes"),
}  # fmt: skip
"""By name of the recovery."""


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

    @property
    def words(self) -> str:
        """The name of the test as a sentence: `five kills in a row change nothing`."""
        name, _, case = self.test.partition("[")
        return re.sub(r"^test_f\d\d_", "", name).replace("_", " ") + (f": {case[:-1]}" if case else "")

    def missed(self) -> list[str]:
        """Recoveries that took longer than their goals."""
        return [f"{name}: {took:.1f} s" for name, took in self.times if took > GOALS[name].seconds]


def rows_table(entries: Iterable[Entry]) -> str:
    """One line a test; of a row that has none here, or was not run, one line that says so."""
    tested: dict[str, list[Entry]] = {}
    for entry in entries:
        tested.setdefault(entry.row, []).append(entry)
    lines = ["| Row | Test | Verdict | Unfinished when the fault struck | What was checked |", "| --- " * 5 + "|"]
    for row in MATRIX:
        lines += [_line(e) for e in tested.get(row.number, [])] or [_untested(row)]
    return "\n".join(lines)


def _line(e: Entry) -> str:
    first = "; ".join(e.proofs[:2]) + (f"; and {len(e.proofs) - 2} more" if len(e.proofs) > 2 else "")
    return f"| {e.row} | {e.words} | {e.verdict} | {first} | {e.counts} |"


def _untested(row: Row) -> str:
    kind = "not run" if row.kind == "tested" else row.kind
    return f"| {row.number} | {row.fault} | {kind} | | {row.note if row.kind != 'tested' else ''} |"


def how_table() -> str:
    """What each row is, and how it is brought about."""
    lines = ["| Row | Fault | How it is brought about | Besides |", "| --- " * 4 + "|"]
    lines += [f"| {row.number} | {row.fault} | {row.how} | {row.note} |" for row in MATRIX]
    return "\n".join(lines)


def times_table(entries: Iterable[Entry]) -> str:
    """Recovery times against their goals."""
    measured: dict[str, list[float]] = {}
    for entry in entries:
        for goal, seconds in entry.times:
            measured.setdefault(goal, []).append(seconds)
    lines = ["| Recovery | What is measured | Goal, at most | Shortest | Longest | Measurements |", "| --- " * 6 + "|"]
    for name, (limit, means) in GOALS.items():
        if found := measured.get(name):
            goal = f"{limit:g} s" if limit < inf else ""
            lines.append(f"| {name} | {means} | {goal} | {min(found):.1f} s | {max(found):.1f} s | {len(found)} |")
    return "\n".join(lines)
