"""What was measured is kept by test: a row that is run again takes the place of its last run, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.page import write_page
from tests.faults.records import Run, keep, merged, recorded, runs_of
from tests.faults.report import Entry

FIRST, SECOND = Run("2026-01-01", "aaa", 1), Run("2026-01-02", "bbb+", 2)
KILL, AGAIN, FREEZE = (
    Entry("F1", "test_f01_a_kill", 1001, ["kill -9: 2 open claims"], [("graceful move", 1.25)], "all", "exact"),
    Entry("F1", "test_f01_a_kill", 2001, ["kill -9: 3 open claims"], [], "all", "exact"),
    Entry("F10", "test_f10_a_freeze", 1010, ["frozen: 1 open claim"], [("graceful move", 2.5)], "all", "exact"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Kept from a whole run."""
    made = tmp_path / "promises.json"
    keep(made, merged(made, FIRST, [FREEZE, KILL], whole=True))
    return made


def test_what_is_kept_is_read_back_in_the_order_of_rows(path: Path) -> None:
    assert list(recorded(path).values()) == [(FIRST, KILL), (FIRST, FREEZE)]


def test_a_row_that_is_run_again_replaces_its_last_run_alone(path: Path) -> None:
    found = merged(path, SECOND, [AGAIN], whole=False)
    assert list(found.values()) == [(SECOND, AGAIN), (FIRST, FREEZE)]
    assert runs_of(found.values()) == [
        "2026-01-02, commit bbb+, seed 2: F1 (1)",
        "2026-01-01, commit aaa, seed 1: F10 (1)",
    ]


def test_a_whole_run_leaves_nothing_of_earlier_ones_but_longer_soaks(path: Path) -> None:
    soak = Entry("F27", "test_f27_a_soak[60 minutes]", 1027, ["673 faults"], [], "all", "exact")
    keep(path, merged(path, FIRST, [soak], whole=False))
    assert list(merged(path, SECOND, [AGAIN], whole=True).values()) == [(SECOND, AGAIN), (FIRST, soak)]


def test_the_page_names_the_runs_and_the_longest_recovery(path: Path) -> None:
    page = path.with_suffix(".md")
    write_page(page, recorded(path))
    text = page.read_text()
    assert "- 2026-01-01, commit aaa, seed 1: F1 (1), F10 (1)" in text
    assert "| 1.2 s | 2.5 s | 2 |" in text
