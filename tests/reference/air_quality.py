"""Beijing air quality by polars: what the shipped pipeline must give, from the raw files in a few lines.

The full data set lies outside the repository (`LEPTON_SHARED`, or the folder `shared` beside it); the shipped sample is
a cut of it. Days are days in Beijing, as the files have them.
"""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "lepton_stream" / "data" / "iot" / "air_quality"
FULL = Path(os.environ.get("LEPTON_SHARED", ROOT.parent / "shared")) / "data" / "iot" / "beijing_air_quality"
ZONE = "Asia/Shanghai"


def readings(folder: Path) -> pl.DataFrame:
    """Every row of the folder's files: station, local time, UTC microseconds and pm25 (null where the file says NA)."""
    files = sorted(folder.glob("*.csv.gz"))
    table = pl.concat(pl.read_csv(f, null_values=["NA"], infer_schema=False) for f in files)  # all columns as text
    local = pl.datetime(*(pl.col(c).cast(pl.Int32) for c in ("year", "month", "day", "hour")), time_zone=ZONE)
    pm25 = pl.col("PM2.5").cast(pl.Float64).alias("pm25")
    return table.select("station", local.alias("local"), local.dt.epoch("us").alias("time_us"), pm25)


def figures() -> list[pl.Expr]:
    """The figures of any group; null where there is no value (std: fewer than two)."""
    pm25 = pl.col("pm25")
    return [
        pl.len().alias("n"),
        pm25.count().alias("pm25_n"),
        pm25.null_count().alias("missing"),
        pm25.mean().alias("mean"),
        pm25.min().alias("min"),
        pm25.max().alias("max"),
        pm25.std().alias("std"),
    ]


def by_day(folder: Path) -> pl.DataFrame:
    """One row a (station, local day); `window_start_us` is local midnight as UTC microseconds."""
    day = pl.col("local").dt.truncate("1d")
    table = readings(folder).with_columns(day.dt.epoch("us").alias("window_start_us"))
    return table.group_by("station", "window_start_us").agg(figures()).sort("station", "window_start_us")


def by_station(folder: Path) -> pl.DataFrame:
    """One row a station."""
    return readings(folder).group_by("station").agg(figures()).sort("station")
