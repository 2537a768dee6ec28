"""The reference agrees with the published figures of the data set, and the sample is a true cut of it."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from scripts.make_samples import SAMPLE as SHIPPED
from scripts.make_samples import make
from tests.reference.air_quality import FULL, SAMPLE, by_day, by_station, readings

needs_full = pytest.mark.skipif(not FULL.is_dir(), reason="the full data set is not here (set LEPTON_SHARED)")

PUBLISHED = {  # station: PM2.5 readings and their mean over the four years
    "Aotizhongxin": (34_139, 82.7736),
    "Dingling": (34_285, 65.9895),
    "Guanyuan": (34_448, 82.9334),
    "Huairou": (34_111, 69.6264),
    "Shunyi": (34_151, 79.4916),
    "Wanliu": (34_682, 83.3747),
}


@needs_full
def test_reference_gives_the_published_figures_of_each_station() -> None:
    rows = by_station(FULL).rows(named=True)
    assert {r["station"]: (r["pm25_n"], round(r["mean"], 4)) for r in rows} == PUBLISHED
    assert sum(r["n"] for r in rows) == 210_384
    assert sum(r["missing"] for r in rows) == 4_568


@needs_full
def test_sample_is_cut_from_the_full_data_byte_for_byte(tmp_path: Path) -> None:
    made = make(FULL, tmp_path)
    assert len(made) == 6
    for path in made:
        assert gzip.decompress(path.read_bytes()) == gzip.decompress((SHIPPED / path.name).read_bytes())


def test_gzip_members_carry_no_time_and_no_name() -> None:
    for path in SAMPLE.glob("*.csv.gz"):
        assert path.read_bytes()[:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"


def test_sample_holds_28_full_days_of_six_stations() -> None:
    days = by_day(SAMPLE)
    assert days.height == 6 * 28
    assert days["n"].unique().to_list() == [24]
    assert days.select((pl.col("pm25_n") + pl.col("missing") == 24).all()).item()
    assert days["missing"].sum() > 0


def test_days_begin_at_midnight_in_beijing() -> None:
    first = int(by_day(SAMPLE)["window_start_us"][0])
    assert first == 1_362_067_200_000_000  # 2013-03-01 00:00 +08:00
    assert readings(SAMPLE)["time_us"].min() == first
