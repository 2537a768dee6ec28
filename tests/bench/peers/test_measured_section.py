"""The measured part of docs/peers.md is what the kept run gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.peers.measured_section import BEGIN, END, LAST, replaced, section

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_shows_the_kept_run() -> None:
    page = (ROOT / "docs/peers.md").read_text()
    assert page == replaced(page, section(json.loads(LAST.read_text())))


def test_only_the_measured_part_is_replaced() -> None:
    assert replaced(f"before\n{BEGIN}old\n{END}after\n", "new\n") == "before\nnew\nafter\n"
    with pytest.raises(ValueError, match="no measured part"):
        replaced("a page\n", "new\n")


def test_the_kept_run_has_every_result_of_ours_exact() -> None:
    ours = [run for run in json.loads(LAST.read_text())["runs"] if run["peer"] == "lepton"]
    assert ours
    assert all(run["exact"] for run in ours)
