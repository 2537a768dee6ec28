"""All readings of the data set through the installed command, against polars and the published figures."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.commands import balanced, but_version, lines, run
from tests.reference.air_quality import FULL, by_day
from tests.reference.test_air_quality import PUBLISHED

pytestmark = pytest.mark.skipif(not FULL.is_dir(), reason="the full data set is not here (set LEPTON_SHARED)")
ROWS = 210_384


def carry_out(folder: Path, *more: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    out, stats = folder / "daily.jsonl", folder / "stats.json"
    inputs = [str(f) for f in sorted(FULL.glob("*.csv.gz"))]
    done = run("run", "iot/air_quality", "--input", *inputs, "--output", out, "--stats", stats, *more)
    assert (done.returncode, done.stdout) == (0, b"")
    return lines(out), json.loads(stats.read_text())


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    return carry_out(tmp_path_factory.mktemp("air"))


def test_every_reading_is_accepted_and_booked_to_its_file(done: tuple[list[dict[str, Any]], dict[str, Any]]) -> None:
    rows, stats = done
    assert (stats["read"], stats["accepted"], stats["results"]) == (ROWS, ROWS, len(rows))
    assert (stats["duplicate"], stats["late"], stats["dead_lettered"]) == (0, 0, {})
    assert {a["read"] for a in stats["sources"].values()} == {ROWS // 6}
    assert balanced(stats)


def test_each_station_and_day_has_the_figures_of_polars(done: tuple[list[dict[str, Any]], dict[str, Any]]) -> None:
    found = {(row["station"], row["window_start"] * 1000): row for row in done[0]}
    wanted = by_day(FULL)
    assert len(found) == len(done[0]) == wanted.height
    for day in wanted.rows(named=True):
        row = found[day["station"], day["window_start_us"]]
        exact = {"n": "n", "pm25_n": "pm25_n", "pm25_missing": "missing", "pm25_min": "min", "pm25_max": "max"}
        assert {name: row[name] for name in exact} == {name: day[theirs] for name, theirs in exact.items()}
        for name, figure in (("pm25_mean", day["mean"]), ("pm25_std", day["std"])):
            assert row[name] == (None if figure is None else pytest.approx(figure, rel=1e-9, abs=1e-12))


def test_published_figures_of_each_station_come_out(done: tuple[list[dict[str, Any]], dict[str, Any]]) -> None:
    count: dict[str, int] = defaultdict(int)
    total: dict[str, float] = defaultdict(float)
    for row in done[0]:
        if row["pm25_n"]:
            count[row["station"]] += row["pm25_n"]
            total[row["station"]] += row["pm25_n"] * row["pm25_mean"]
    assert {s: (count[s], round(total[s] / count[s], 4)) for s in count} == PUBLISHED


@pytest.mark.parametrize("manner", ["--partitions 4", "--route rows", "--partitions 3 --route rows", "--route mixed"])
def test_partitions_and_routes_give_the_same_results_but_for_versions(
    tmp_path: Path, manner: str, done: tuple[list[dict[str, Any]], dict[str, Any]]
) -> None:
    rows, stats = carry_out(tmp_path, *manner.split())
    assert but_version(rows) == but_version(done[0])
    assert (stats["read"], stats["accepted"]) == (ROWS, ROWS)
    assert balanced(stats)
