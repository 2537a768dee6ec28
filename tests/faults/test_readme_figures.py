"""The README's promise is the measured one: its seconds are the longest that docs/promises.json has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.records import recorded

ROOT = Path(__file__).resolve().parents[2]
SAID = {
    "graceful move": r"(\S+) s of a worker's being asked to leave",
    "kill -9": r"(\S+) s of its being killed",
    "kill -9, session of 2 s": r"\((\S+) s with a session of 2 s\)",
    "static restart": r"(\S+) s where it came back with `--static-id`",
    "broker restart": r"(\S+) s of a broker's being back",
}
"""What README.md says of each recovery."""


@pytest.mark.parametrize("recovery", SAID)
def test_the_readme_says_how_long_a_recovery_took_at_most(recovery: str) -> None:
    entries = [entry for _, entry in recorded(ROOT / "docs/promises.json").values()]
    longest = max(seconds for entry in entries for name, seconds in entry.times if name == recovery)
    said = re.search(SAID[recovery], " ".join((ROOT / "README.md").read_text().split()))
    assert said, f"README.md says nothing of {recovery}: {SAID[recovery]}"
    assert float(said[1]) == pytest.approx(longest, abs=0.0501), f"{recovery} took at most {longest:.1f} s"


def test_the_readme_speaks_of_rows_that_all_hold() -> None:
    verdicts = {entry.verdict for _, entry in recorded(ROOT / "docs/promises.json").values()}
    assert verdicts <= {"exact", "halted", "restored"}
