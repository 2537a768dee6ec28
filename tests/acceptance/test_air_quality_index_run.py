"""The last 24 hours of every hour and their category, through the installed command, against polars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import lepton_stream as ls
from tests.acceptance.commands import lines, run
from tests.reference.air_quality import FULL, SAMPLE, readings

HOUR_US = 3_600_000_000
NEEDED = 18
TABLE = (  # 40 CFR part 58, appendix G, table 1 as of 2024-05-06: up to so many micrograms, in tenths
    (90, "good"),
    (354, "moderate"),
    (554, "unhealthy for sensitive groups"),
    (1254, "unhealthy"),
    (2254, "very unhealthy"),
)
FOLDERS = [
    pytest.param(SAMPLE, id="sample"),
    pytest.param(FULL, id="full", marks=pytest.mark.skipif(not FULL.is_dir(), reason="the full data set is not here")),
]


def category(mean: float) -> str:
    """Of the concentration, cut to tenths as the rule says."""
    tenths = int(mean * 10 + 1e-9)
    return next((name for upto, name in TABLE if tenths <= upto), "hazardous")


def last_days(folder: Path) -> pl.DataFrame:
    """One row a station and window of 24 hours that has a reading: rows with a value and their mean."""
    table = readings(folder).select("station", "time_us", "pm25")
    hops = [(pl.col("time_us") - i * HOUR_US).alias(str(i)) for i in range(24)]
    spread = table.with_columns(hops).unpivot(
        [str(i) for i in range(24)], index=["station", "pm25"], value_name="start"
    )
    counted = (pl.col("pm25").count().alias("n"), pl.col("pm25").mean().alias("mean"))
    return spread.group_by("station", "start").agg(*counted).sort("station", "start")


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_hour_has_the_mean_and_category_of_polars(tmp_path: Path, folder: Path) -> None:
    out = tmp_path / "out.jsonl"
    done = run("run", "iot/air_quality_index", "--input", *sorted(folder.glob("*.csv.gz")), "--output", out)
    assert done.returncode == 0, done.stderr
    found = pl.DataFrame(lines(out), infer_schema_length=None).sort("station", "window_start")
    wanted = last_days(folder)
    assert found["station"].equals(wanted["station"])
    assert (found["window_start"] * 1000).to_list() == wanted["start"].to_list()
    assert found["pm25_n"].to_list() == wanted["n"].to_list()
    assert found["pm25_mean"].is_null().equals(wanted["mean"].is_null())
    assert ((found["pm25_mean"] - wanted["mean"]).abs().fill_null(0) < 1e-9).all()
    by_rule = [category(mean) if n >= NEEDED else None for n, mean in wanted["n", "mean"].iter_rows()]
    assert found["category"].to_list() == by_rule
    assert found["category"].n_unique() == len(TABLE) + 2


def reading(hour: int, pm25: float | None) -> dict[str, Any]:
    return {"station": "here", "ts": 1_362_067_200 + 3600 * hour, "pm25": pm25}


def full_day(values: Sequence[float | None]) -> dict[str, Any]:
    """The row of the window that holds all the hours."""
    rows = ls.run(ls.load("iot/air_quality_index"), [reading(i, v) for i, v in enumerate(values)])
    return next(row for row in rows if row["window_start"] == 1_362_067_200_000)


def test_seventeen_hours_of_a_day_give_no_category_and_eighteen_do() -> None:
    assert full_day([*[40.0] * 17, *[None] * 7])["category"] is None
    assert full_day([*[40.0] * 18, *[None] * 6])["category"] == "unhealthy for sensitive groups"


@pytest.mark.parametrize(("upto", "name"), TABLE)
def test_what_lies_between_two_lines_of_the_table_belongs_to_the_lower_one(upto: int, name: str) -> None:
    assert full_day([(upto + 0.9) / 10] * 24)["category"] == name
    assert full_day([(upto + 1) / 10] * 24)["category"] != name
