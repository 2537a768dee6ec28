"""The reference agrees with the published figures of the data, and the sample is a true cut of it."""

from __future__ import annotations

import lzma

import polars as pl
import pytest

from scripts.make_fx_sample import cut
from tests.reference.fx_ticks import FULL, SAMPLE, by_minute, full, shipped

needs_full = pytest.mark.skipif(not FULL.is_dir(), reason="the full data set is not here (set LEPTON_SHARED)")

PUBLISHED = {  # venue and symbol: quotes, lowest and highest mid, mean spread
    ("fxcm", "eurusd"): (519_917, 1.374485, 1.39937, 1.5133512e-05),
    ("fxcm", "nzdusd"): (444_856, 0.86039, 0.877965, 5.7805852e-05),
    ("oanda", "eurusd"): (246_875, 1.374525, 1.399365, 1.3980764e-04),
    ("oanda", "nzdusd"): (200_182, 0.860405, 0.877945, 2.7233947e-04),
}
REPEATS, LOCKED, MINUTES = 8, 133_195, 27_050


@needs_full
def test_reference_gives_the_published_figures_of_each_venue_and_symbol() -> None:
    quotes = full()
    mid, spread = (pl.col("bid") + pl.col("ask")) / 2, pl.col("ask") - pl.col("bid")
    figures = [pl.len(), mid.min().alias("low"), mid.max().alias("high"), spread.mean().alias("spread")]
    found = {(v, s): rest for v, s, *rest in quotes.group_by("venue", "symbol").agg(figures).rows()}
    assert found.keys() == PUBLISHED.keys()
    for of, (count, low, high, mean) in PUBLISHED.items():
        assert found[of][0] == count
        assert found[of][1:] == pytest.approx([low, high, mean], rel=1e-7)
    assert quotes.filter(pl.col("ask") <= pl.col("bid")).height == LOCKED
    minutes = by_minute(quotes)
    assert (minutes.height, minutes["ticks"].sum()) == (MINUTES, quotes.height - REPEATS)
    busiest = minutes.sort("ticks").row(-1, named=True)
    assert (busiest["venue"], busiest["symbol"], busiest["ticks"]) == ("oanda", "eurusd", 2_394)
    assert busiest["start_us"] // 60_000_000 % 1440 == 772


@needs_full
def test_sample_is_cut_from_the_full_data() -> None:
    for venue in ("fxcm", "oanda"):
        assert cut(FULL, venue) == lzma.decompress((SAMPLE / f"{venue}.csv.xz").read_bytes())
    columns = ["venue", "symbol", "time_us", "bid", "ask"]
    first, last = shipped()["time_us"].min(), shipped()["time_us"].max()
    wanted = full().filter(pl.col("time_us").is_between(first, last)).select(columns)
    assert wanted.sort(columns).equals(shipped().select(columns).sort(columns))


def test_both_venues_tell_of_the_same_twelve_minutes_by_clocks_five_hours_apart() -> None:
    minutes = by_minute(shipped())
    assert minutes.height == 2 * 2 * 12
    assert minutes["start_us"].n_unique() == 12
    hours = {v: {ts[11:13] for ts in shipped().filter(pl.col("venue") == v)["ts"]} for v in ("fxcm", "oanda")}
    assert hours == {"fxcm": {"07"}, "oanda": {"12"}}
