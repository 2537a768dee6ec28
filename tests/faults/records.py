"""docs/promises.json: the last run of each test of the rows, so that one row may be run again by itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from lepton_stream import clock
from lepton_stream.bench.machine import ROOT, commit
from tests.faults.report import Entry


@dataclass(frozen=True, slots=True)
class Run:
    """When, from what source and with what seed something was measured. `commit`: with a + if files were changed."""

    day: str
    commit: str
    seed: int

    def __str__(self) -> str:
        return f"{self.day}, commit {self.commit}, seed {self.seed}"


Recorded = dict[str, tuple[Run, Entry]]
"""By the name of the test."""
SOAK = "F27"
"""Soaks of another length are runs of their own, which `make faults` leaves alone."""


def this_run(seed: int) -> Run:
    """Now, from what is checked out."""
    day = datetime.fromtimestamp(clock.now_us() / 1e6, UTC).date().isoformat()
    return Run(day, commit(ROOT, but="docs/promises.*") or "unknown", seed)


def merged(path: Path, run: Run, entries: Sequence[Entry], *, whole: bool) -> Recorded:
    """What is recorded there and now, newest of each test. `whole`: all tests were run, and others are gone."""
    before = {name: one for name, one in recorded(path).items() if not whole or one[1].row == SOAK}
    found = before | {e.test: (run, e) for e in entries}
    return dict(sorted(found.items(), key=lambda item: (int(item[1][1].row[1:]), item[0])))


def recorded(path: Path) -> Recorded:
    """What the file has; nothing where there is none."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {one["entry"]["test"]: (Run(**one["run"]), _entry(one["entry"])) for one in lines}


def _entry(told: dict[str, object]) -> Entry:
    entry = Entry(**told)  # type: ignore[arg-type]  # written by `keep`
    entry.times = [(name, seconds) for name, seconds in entry.times]
    return entry


def keep(path: Path, records: Recorded) -> None:
    """One line of JSON a test."""
    lines = (json.dumps({"run": asdict(run), "entry": asdict(entry)}) for run, entry in records.values())
    path.write_text("".join(f"{line}\n" for line in lines))


def runs_of(records: Iterable[tuple[Run, Entry]]) -> list[str]:
    """One line a run: when it was, and of which rows it is the last."""
    rows: dict[Run, dict[str, int]] = {}
    for run, entry in records:
        of = rows.setdefault(run, {})
        of[entry.row] = of.get(entry.row, 0) + 1
    return [f"{run}: " + ", ".join(f"{row} ({n})" for row, n in of.items()) for run, of in rows.items()]
