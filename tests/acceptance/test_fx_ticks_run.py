"""Five days of quotes of two venues through the installed command, against polars and the published figures."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.acceptance.commands import balanced, but_place, but_version, lines, run
from tests.reference.fx_ticks import FULL, SAMPLE, by_minute, full, jumps, shipped, written
from tests.reference.test_fx_ticks import LOCKED, MINUTES, PUBLISHED, REPEATS

needs_full = pytest.mark.skipif(not FULL.is_dir(), reason="the full data set is not here (set LEPTON_SHARED)")
Ran = tuple[list[dict[str, Any]], dict[str, Any]]
EXACT = ("ticks", "open", "high", "low", "close", "locked")


def carry_out(folder: Path, inputs: Sequence[Path], *more: str) -> Ran:
    out, stats = folder / "minutes.jsonl", folder / "stats.json"
    done = run("run", "finance/fx_ticks", "--input", *inputs, "--output", out, "--stats", stats, *more)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    return lines(out), json.loads(stats.read_text())


def assert_equal(rows: list[dict[str, Any]], wanted: pl.DataFrame) -> None:
    found = {(row["venue"], row["symbol"], row["window_start"] * 1000): row for row in rows}
    assert len(found) == len(rows) == wanted.height
    for minute in wanted.rows(named=True):
        row = found[minute["venue"], minute["symbol"], minute["start_us"]]
        assert {name: row[name] for name in EXACT} == {name: minute[name] for name in EXACT}
        assert math.isclose(row["spread_mean"], minute["spread_mean"], rel_tol=1e-9, abs_tol=1e-18)
        assert math.isclose(row["volatility_bp"], minute["volatility_bp"], rel_tol=1e-8, abs_tol=1e-9)


def told(path: Path) -> set[tuple[str, str, int, float]]:
    """The alarms as `jumps` has them."""
    return {(e["venue"], e["symbol"], 1000 * e["event_time"], round(e["seen"], 6)) for e in lines(path)}


@pytest.fixture(scope="module")
def jumps_of_week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Filled by `week`."""
    return tmp_path_factory.mktemp("fx_jumps") / "jumps.jsonl"


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory, jumps_of_week: Path) -> Ran:
    folder = tmp_path_factory.mktemp("fx")
    return carry_out(folder, written(full(), folder), "--events", str(jumps_of_week))


@needs_full
def test_every_quote_is_accepted_but_for_the_eight_that_repeat_within_their_millisecond(week: Ran) -> None:
    rows, stats = week
    quotes = sum(count for count, *_ in PUBLISHED.values())
    assert (stats["read"], stats["accepted"], stats["duplicate"]) == (quotes, quotes - REPEATS, REPEATS)
    assert (stats["late"], stats["dead_lettered"], stats["results"]) == (0, {}, MINUTES)
    assert balanced(stats)
    assert sum(row["ticks"] for row in rows) == quotes - REPEATS


@needs_full
def test_the_week_has_the_jumps_that_numpy_finds(week: Ran, jumps_of_week: Path) -> None:
    assert told(jumps_of_week) == jumps(full())
    assert week[1]["events"] == 115


@needs_full
def test_each_minute_of_each_venue_and_symbol_has_the_figures_of_polars(week: Ran) -> None:
    assert_equal(week[0], by_minute(full()))


@needs_full
def test_published_figures_of_each_venue_and_symbol_come_out(week: Ran) -> None:
    by: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in week[0]:
        by[row["venue"], row["symbol"]].append(row)
    for of, (count, low, high, spread) in PUBLISHED.items():
        ticks = sum(row["ticks"] for row in by[of])
        assert count - REPEATS <= ticks <= count
        assert min(row["low"] for row in by[of]) == pytest.approx(low, rel=1e-7)
        assert max(row["high"] for row in by[of]) == pytest.approx(high, rel=1e-7)
        mean = sum(row["ticks"] * row["spread_mean"] for row in by[of]) / ticks
        assert mean == pytest.approx(spread, rel=1e-4)  # the published mean has the repeats, when spreads were wide
    locked = sum(row["locked"] for row in week[0])
    assert LOCKED - REPEATS <= locked <= LOCKED
    assert {row["venue"] for row in week[0] if row["locked"]} == {"fxcm"}


def test_the_sample_gives_the_figures_of_polars_and_the_jumps_of_numpy(tmp_path: Path) -> None:
    found = tmp_path / "jumps.jsonl"
    rows, stats = carry_out(tmp_path, sorted(SAMPLE.glob("*.csv.xz")), "--events", str(found))
    assert_equal(rows, by_minute(shipped()))
    assert told(found) == jumps(shipped())
    assert balanced(stats)


@pytest.mark.parametrize("manner", ["--partitions 4", "--route rows", "--partitions 3 --route mixed"])
def test_partitions_and_routes_give_the_same_candles_and_alarms(tmp_path: Path, manner: str) -> None:
    files, jumps, same = sorted(SAMPLE.glob("*.csv.xz")), tmp_path / "jumps.jsonl", tmp_path / "same.jsonl"
    plain, _ = carry_out(tmp_path, files, "--events", str(jumps))
    rows, stats = carry_out(tmp_path, files, "--events", str(same), *manner.split())
    assert but_version(rows) == but_version(plain)
    assert balanced(stats)
    assert but_place(lines(same)) == but_place(lines(jumps))
    assert stats["events"] == len(lines(jumps)) > 0
