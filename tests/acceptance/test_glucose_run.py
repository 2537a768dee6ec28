"""The glucose pipeline through the installed command, against polars and the published figures."""

from __future__ import annotations

import csv
import gzip
import hmac
import io
import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import lepton_stream as ls
from lepton_stream.runtime.pseudonym_secret import DEMO_SECRET
from tests.acceptance.commands import balanced, but_version, lines, run
from tests.models.slow import Row as Values
from tests.models.slow_alarm import Rule, turns
from tests.reference.air_quality import FULL as AIR
from tests.reference.air_quality import ROOT

SAMPLE = ROOT / "lepton_stream" / "data" / "medical" / "glucose" / "p1.csv.gz"
FULL = AIR.parents[1] / "medical" / "cgm_glucose" / "CGM.csv.gz"
needs_full = pytest.mark.skipif(not FULL.is_file(), reason="the full data set is not here (set LEPTON_SHARED)")

Row = dict[str, Any]
MINUTE = 60_000_000
CHANGES = {  # of half a year, as the page of the pipeline tells them
    ("low", "opened"): 131,
    ("low", "closed"): 127,
    ("low", "silent"): 4,
    ("high", "opened"): 101,
    ("high", "closed"): 96,
    ("high", "silent"): 5,
}
MONTHS = {  # readings and their mean
    3: (1_853, 132.7717),
    4: (7_446, 123.4322),
    5: (8_411, 130.4048),
    6: (8_153, 146.6024),
    7: (7_382, 150.9959),
    8: (8_196, 139.8055),
    9: (8_052, 132.4378),
    10: (2_788, 143.6449),
}


def carry_out(folder: Path, file: Path, *more: str) -> tuple[list[Row], Row]:
    out, stats, events = folder / "out.jsonl", folder / "stats.json", folder / "events.jsonl"
    done = run("run", "medical/glucose", "--input", file, "--output", out, "--stats", stats, "--events", events, *more)
    assert (done.returncode, done.stdout) == (0, b"")
    return lines(out), json.loads(stats.read_text())


def of_section(rows: list[Row], section: str) -> list[Row]:
    return [row for row in rows if row["window"] == section]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the half year is run."""
    return tmp_path_factory.mktemp("glucose")


@pytest.fixture(scope="module")
def year(folder: Path) -> tuple[list[Row], Row]:
    """All readings; the file names nobody, so each line gets a patient put before it."""
    header, *readings = gzip.decompress(FULL.read_bytes()).splitlines()
    file = folder / "all.csv"
    file.write_bytes(b"patient," + header + b"\n" + b"".join(b"p1," + line + b"\n" for line in readings))
    return carry_out(folder, file)


def shares(low: float, high: float) -> pl.Expr:
    """Percent of readings from `low` to `high`, both among them."""
    return 100 * pl.col("glucose").is_between(low, high).mean()


FIGURES = {
    "n": pl.len(),
    "mean": pl.col("glucose").mean(),
    "std": pl.col("glucose").std(),
    "min": pl.col("glucose").min(),
    "max": pl.col("glucose").max(),
    "very_low_pct": shares(0, 53),
    "low_pct": shares(0, 69),
    "in_range_pct": shares(70, 180),
    "high_pct": shares(181, 999),
    "very_high_pct": shares(251, 999),
    "at_limit": pl.col("glucose").is_in([40, 400]).sum(),
    "cv_pct": 100 * pl.col("glucose").std() / pl.col("glucose").mean(),
}


def hold_against_polars(rows: list[Row], data: bytes) -> None:
    """Every figure of every window. Readings are whole mg/dL."""
    table = pl.read_csv(data, null_values=["nil"]).with_columns(pl.col("datetime").str.to_datetime())
    for section, every in (("hour", "1h"), ("day", "1d")):
        start = pl.col("datetime").dt.truncate(every).dt.epoch("ms").alias("start")
        wanted = {row.pop("start"): row for row in table.group_by(start).agg(**FIGURES).to_dicts()}
        found = of_section(rows, section)
        assert {row["window_start"] for row in found} == wanted.keys()
        assert len(found) == len(wanted) > 0
        for row in found:
            one = wanted[row["window_start"]]
            for name in FIGURES.keys() & row.keys():
                assert row[name] == (None if one[name] is None else pytest.approx(one[name], rel=1e-9, abs=1e-12))


LOW = Rule("below", 70, 70, 15 * MINUTE, 1, 15 * MINUTE, 1, forget=45 * MINUTE)
HIGH = Rule("above", 250, 180, 15 * MINUTE, 1, 15 * MINUTE, 1, forget=45 * MINUTE)
"""Glucose events as the consensus of 2023 defines them: 15 minutes to begin, and 15 minutes back to end."""


def hold_against_a_plain_loop(events: list[Row], data: bytes) -> dict[tuple[str, str], int]:
    """Every turn of both alarms; how many of each kind there are."""
    header, *readings = csv.reader(io.StringIO(data.decode()))
    when, value = header.index("datetime"), header.index("glucose")
    times = [datetime.strptime(r[when], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for r in readings]
    us = [int(time.timestamp()) * 1_000_000 for time in times]
    rows = [Values(t, 0, i, "p1", float(r[value])) for i, (t, r) in enumerate(zip(us, readings, strict=True))]
    for name, rule in (("low", LOW), ("high", HIGH)):
        wanted = [{k: v for k, v in turn.items() if k != "device"} for turn in turns(rows, rule, max(us))]
        found = [{k: event[k] for k in wanted[0]} for event in events if event["model"] == name]
        assert found == wanted
    return dict(Counter((event["model"], event["change"]) for event in events))


def test_the_sample_gives_the_figures_of_polars(tmp_path: Path) -> None:
    rows, stats = carry_out(tmp_path, SAMPLE)
    assert (stats["read"], stats["accepted"]) == (3_634, 3_634)
    hold_against_polars(rows, gzip.decompress(SAMPLE.read_bytes()))
    events = lines(tmp_path / "events.jsonl")
    changes = hold_against_a_plain_loop(events, gzip.decompress(SAMPLE.read_bytes()))
    assert {change for _, change in changes} == {"opened", "closed", "silent"}
    assert stats["events"] == len(events) > 20


def test_nothing_that_comes_out_names_the_patient(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(gzip.decompress(SAMPLE.read_bytes()).replace(b"p1,", b"Adalbert,") + b"Adalbert,1,nonsense,-5\n")
    rows, stats = carry_out(tmp_path, bad, "--dead-letters", str(tmp_path / "letters.jsonl"))
    assert sum(stats["dead_lettered"].values()) == 1
    for file in tmp_path.iterdir():
        assert file == bad or b"Adalbert" not in file.read_bytes()
    assert {row["patient"] for row in rows} == {hmac.digest(DEMO_SECRET, b"Adalbert", "sha256").hex()[:32]}


def test_partitions_and_routes_give_the_same_results_but_for_versions(tmp_path: Path) -> None:
    usual, _ = carry_out(tmp_path, SAMPLE)
    split, stats = carry_out(tmp_path, SAMPLE, "--partitions", "4", "--route", "rows")
    assert but_version(split) == but_version(usual)
    assert balanced(stats)


@needs_full
def test_half_a_year_gives_the_figures_of_polars(year: tuple[list[Row], Row]) -> None:
    rows, stats = year
    assert (stats["read"], stats["accepted"], stats["late"], stats["dead_lettered"]) == (52_281, 52_281, 0, {})
    hold_against_polars(rows, gzip.decompress(FULL.read_bytes()))


@needs_full
def test_half_a_year_gives_the_alarms_of_a_plain_loop(year: tuple[list[Row], Row], folder: Path) -> None:
    events = lines(folder / "events.jsonl")
    assert hold_against_a_plain_loop(events, gzip.decompress(FULL.read_bytes())) == CHANGES
    assert year[1]["events"] == len(events)


@needs_full
def test_half_a_year_gives_the_published_figures(year: tuple[list[Row], Row]) -> None:
    hours, days = of_section(year[0], "hour"), of_section(year[0], "day")
    for rows in (hours, days):
        assert sum(row["n"] for row in rows) == 52_281
        assert mean_of(rows, "mean") == pytest.approx(137.4219123582181, rel=1e-12)
        assert round(sum(row["n"] * row["low_pct"] for row in rows) / 100, 6) == 1_651
        assert round(sum(row["n"] * row["high_pct"] for row in rows) / 100, 6) == 9_534
    assert (min(row["min"] for row in hours), max(row["max"] for row in hours)) == (40, 400)
    assert len(hours) == 4_470
    assert sum(row["mean"] for row in hours) / len(hours) == pytest.approx(137.15961520520244, rel=1e-12)
    months = {month: [row for row in days if month_of(row) == month] for month in MONTHS}
    assert {m: (sum(r["n"] for r in rows), round(mean_of(rows, "mean"), 4)) for m, rows in months.items()} == MONTHS


def mean_of(rows: list[Row], column: str) -> float:
    return sum(row["n"] * row[column] for row in rows) / sum(row["n"] for row in rows)


def month_of(row: Row) -> int:
    return int(pl.Series([row["window_start"]]).cast(pl.Datetime("ms")).dt.month()[0])


def reading(minute: int, glucose: float, **more: str) -> Row:
    return {"patient": "p2", "ts": 1_281_981_600 + 60 * minute, "glucose": glucose, **more}


def day_of(readings: Iterable[Row]) -> Row:
    (day,) = of_section(list(ls.run(ls.load("medical/glucose"), list(readings))), "day")
    return day


def test_seventy_and_a_hundred_and_eighty_are_in_range() -> None:
    day = day_of((reading(i, g) for i, g in enumerate((53, 54, 69.9, 70, 180, 180.1, 250, 250.1))))
    shown = ("very_low_pct", "low_pct", "in_range_pct", "high_pct", "very_high_pct")
    assert [day[name] for name in shown] == [12.5, 37.5, 25.0, 37.5, 12.5]


def test_millimoles_are_judged_as_milligrams() -> None:
    """3.8 mmol/L are 68.5 mg/dL, 10.0 are 180.2; a mole of glucose is 180.156 g."""
    values = (3.8, 3.9, 9.9, 10.0)
    day = day_of((reading(i, g, unit="mmol/L") for i, g in enumerate(values)))
    assert (day["low_pct"], day["in_range_pct"], day["high_pct"]) == (25.0, 50.0, 25.0)
    assert day["mean"] == pytest.approx(sum(values) / 4 * 18.0156, rel=1e-12)
    assert day["cv_pct"] == pytest.approx(100 * day["std"] / day["mean"], rel=1e-12)


def test_a_day_of_one_reading_has_no_variability() -> None:
    day = day_of([reading(0, 120)])
    assert (day["n"], day["mean"], day["std"], day["cv_pct"]) == (1, 120.0, None, None)


def test_a_unit_that_is_not_known_is_a_dead_letter() -> None:
    done = ls.run(ls.load("medical/glucose"), [reading(0, 120), reading(5, 1.2, unit="g/L")])
    assert [row["n"] for row in done] == [1, 1]
    assert (done.stats["accepted"], done.stats["dead_lettered"]) == (1, {"not_one_of": 1})
