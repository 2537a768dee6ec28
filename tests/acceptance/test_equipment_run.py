"""The machine's samples through the installed command, against numpy and the published figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.commands import balanced, but_place, but_version, lines, run
from tests.reference.equipment import SAMPLE, minute, second, windows
from tests.reference.test_equipment import MINUTES, ROWS, SECONDS

Ran = tuple[list[dict[str, Any]], dict[str, Any]]
BESIDES = ("machine", "window", "window_start", "window_end", "final", "version")


def carry_out(folder: Path, *more: str) -> Ran:
    out, stats = folder / "results.jsonl", folder / "stats.json"
    done = run("run", "manufacturing/equipment", "--input", SAMPLE, "--output", out, "--stats", stats, *more)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    return lines(out), json.loads(stats.read_text())


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return carry_out(tmp_path_factory.mktemp("equipment"))


def test_every_sample_is_accepted(done: Ran) -> None:
    rows, stats = done
    assert (stats["read"], stats["accepted"], stats["results"]) == (ROWS, ROWS, SECONDS + len(MINUTES))
    assert (stats["duplicate"], stats["late"], stats["dead_lettered"]) == (0, 0, {})
    assert balanced(stats)
    assert {row["machine"] for row in rows} == {"machine-1"}


@pytest.mark.parametrize(
    ("window", "size_us", "figures"), [("second", 1_000_000, second), ("minute", 60_000_000, minute)]
)
def test_each_window_has_the_figures_of_numpy(done: Ran, window: str, size_us: int, figures: Any) -> None:
    found = {
        row["window_start"] * 1000: {name: value for name, value in row.items() if name not in BESIDES}
        for row in done[0]
        if row["window"] == window
    }
    wanted = {start: figures(sensors) for start, sensors in windows(size_us).items()}
    assert found.keys() == wanted.keys()
    for start, row in wanted.items():
        assert found[start] == pytest.approx(row, rel=1e-9)


def test_published_figures_of_each_minute_come_out(done: Ran) -> None:
    minutes = [row for row in done[0] if row["window"] == "minute"]
    found = {row["window_start"] // 60_000 % 60: (row["n"], round(row["mf01_mean"], 6)) for row in minutes}
    assert found == MINUTES


@pytest.mark.parametrize("manner", ["--partitions 4", "--route rows"])
def test_partitions_and_routes_give_the_same_figures_and_alarms(tmp_path: Path, manner: str, done: Ran) -> None:
    plain, split = tmp_path / "plain.jsonl", tmp_path / "split.jsonl"
    carry_out(tmp_path, "--events", str(plain))
    rows, stats = carry_out(tmp_path, "--events", str(split), *manner.split())
    assert but_version(rows) == but_version(done[0])
    assert stats["accepted"] == ROWS
    assert but_place(lines(split)) == but_place(lines(plain))
    assert stats["events"] == len(lines(plain)) > 0
