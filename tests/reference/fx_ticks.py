"""Currency quotes by polars: what finance/fx_ticks must give, from the venues' files in a few lines.

The full data lies outside the repository (`LEPTON_SHARED`, or the folder `shared` beside it); the shipped sample is a
cut of it. FXCM's clock is five hours behind UTC, Oanda's is UTC.
"""

from __future__ import annotations

import lzma
import math
import os
import zipfile
from pathlib import Path

import numpy as np
import polars as pl

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "lepton_stream" / "data" / "finance" / "fx_ticks"
FULL = Path(os.environ.get("LEPTON_SHARED", ROOT.parent / "shared")) / "data" / "finance" / "fx_ticks"
BEHIND_H = {"fxcm": 5, "oanda": 0}
CLOCK = {"fxcm": "-05:00", "oanda": "+00:00"}
MINUTE_US = 60_000_000


def full() -> pl.DataFrame:
    """Every quote of the venues' files: venue, symbol, local (µs by the venue's clock), time_us (UTC), bid, ask."""
    parts = []
    for path in sorted(FULL.glob("*_quote.zip")):
        venue, symbol, day, _ = path.name.split("_")
        with zipfile.ZipFile(path) as archive:
            table = pl.read_csv(archive.read(archive.namelist()[0]), has_header=False, new_columns=["ms", "bid", "ask"])
        midnight = pl.lit(day).str.to_datetime("%Y%m%d", time_unit="us").dt.epoch("us")
        local = (midnight + pl.col("ms") * 1000).alias("local")
        parts.append(table.select(pl.lit(venue).alias("venue"), pl.lit(symbol).alias("symbol"), local, "bid", "ask"))
    utc = pl.col("local") + pl.col("venue").replace_strict(BEHIND_H, return_dtype=pl.Int64) * 3_600_000_000
    return pl.concat(parts).with_columns(utc.alias("time_us")).sort("time_us", maintain_order=True)


def written(quotes: pl.DataFrame, folder: Path) -> list[Path]:
    """The quotes as the pipeline reads them: one CSV file a venue."""
    paths = []
    for venue, clock in CLOCK.items():
        local = pl.from_epoch("local", time_unit="us").dt.strftime(f"%Y-%m-%dT%H:%M:%S%.3f{clock}").alias("ts")
        paths.append(folder / f"{venue}.csv")
        mine = quotes.filter(pl.col("venue") == venue)
        mine.select("venue", "symbol", local, "bid", "ask").write_csv(paths[-1])
    return paths


def shipped() -> pl.DataFrame:
    """Every quote of the shipped sample, by time."""
    parts = [pl.read_csv(lzma.decompress(path.read_bytes())) for path in sorted(SAMPLE.glob("*.csv.xz"))]
    moment = pl.col("ts").str.to_datetime("%Y-%m-%dT%H:%M:%S%.3f%z", time_unit="us").dt.epoch("us")
    return pl.concat(parts).with_columns(moment.alias("time_us")).sort("time_us", maintain_order=True)


def jumps(quotes: pl.DataFrame) -> set[tuple[str, str, int, float]]:
    """(venue, symbol, time_us, mid in basis points) of quotes by time that lie off the sixteen before them."""
    found = set()
    once = quotes.unique(["venue", "symbol", "time_us", "bid", "ask"], keep="first", maintain_order=True)
    for (venue, symbol), table in once.group_by("venue", "symbol", maintain_order=True):
        bp = 10_000 * np.log((table["bid"].to_numpy() + table["ask"].to_numpy()) / 2)
        before, now = np.lib.stride_tricks.sliding_window_view(bp, 16)[:-1], bp[16:]
        usual = np.median(before, axis=1)
        off = np.abs(before - usual[:, None])
        deviation = 1.4826 * np.median(off, axis=1)
        deviation = np.where(deviation == 0, 1.2533 * off.mean(axis=1), deviation)
        out = np.flatnonzero(np.abs(now - usual) >= 6 * np.maximum(deviation, 0.5))
        times = table["time_us"].to_numpy()[16:]
        found |= {(str(venue), str(symbol), int(times[i]), round(float(now[i]), 6)) for i in out}
    return found


def by_minute(quotes: pl.DataFrame) -> pl.DataFrame:
    """One row a (venue, symbol, minute), of quotes by time; one that repeats within its millisecond counts once."""
    once = quotes.unique(["venue", "symbol", "time_us", "bid", "ask"], keep="first", maintain_order=True)
    mid, spread = (pl.col("bid") + pl.col("ask")) / 2, pl.col("ask") - pl.col("bid")
    start = (pl.col("time_us") // MINUTE_US * MINUTE_US).alias("start_us")
    table = once.with_columns(start, mid.alias("mid"), spread.alias("spread"))
    mid = pl.col("mid")
    return table.group_by("venue", "symbol", "start_us", maintain_order=True).agg(
        pl.len().alias("ticks"),
        mid.first().alias("open"),
        mid.max().alias("high"),
        mid.min().alias("low"),
        mid.last().alias("close"),
        pl.col("spread").mean().alias("spread_mean"),
        (pl.col("ask") <= pl.col("bid")).sum().cast(pl.Int64).alias("locked"),
        ((mid.max() / mid.min()).log() / math.sqrt(4 * math.log(2)) * 1e4).alias("volatility_bp"),
    )
