"""Online retail by polars: what the shipped pipeline must give, from the raw file in a few lines.

Duplicates are lines that are equal as text. The full data set lies outside the repository, as that of air quality.
"""

from __future__ import annotations

import polars as pl

from tests.reference.air_quality import FULL as AIR
from tests.reference.air_quality import ROOT

SAMPLE = ROOT / "lepton_stream" / "data" / "ecommerce" / "retail" / "lines.csv.gz"
FULL = AIR.parents[1] / "ecommerce" / "online_retail" / "online_retail_by_day.csv.xz"


def lines_of(data: bytes, *, duplicates: bool = False) -> pl.DataFrame:
    """Every line of a CSV file, with numbers as numbers; those that are there twice once, unless `duplicates`."""
    text = pl.read_csv(data, infer_schema=False)
    kept = text if duplicates else text.unique(maintain_order=True)
    price, quantity = pl.col("UnitPrice").cast(pl.Float64), pl.col("Quantity").cast(pl.Int64)
    sold = (quantity > 0) & (price > 0)
    return kept.select(
        pl.col("InvoiceDate").str.to_datetime("%Y-%m-%d %H:%M:%S").alias("time"),
        pl.col("Country").alias("country"),
        pl.col("StockCode").alias("item"),
        pl.col("CustomerID").alias("customer"),
        price.alias("price"),
        quantity.alias("quantity"),
        (price * quantity).alias("revenue"),
        pl.when(sold).then(price * quantity).otherwise(0.0).alias("sales"),
        pl.when(sold).then(pl.col("InvoiceNo")).alias("ordered"),
        pl.when(pl.col("InvoiceNo").str.starts_with("C")).then(pl.col("InvoiceNo")).alias("returned"),
    )


def _different(column: str) -> pl.Expr:
    return pl.col(column).drop_nulls().n_unique()


FIGURES = {
    "lines": pl.len(),
    "orders": _different("ordered"),
    "returns": _different("returned"),
    "customers": _different("customer"),
    "quantity": pl.col("quantity").sum(),
    "revenue": pl.col("revenue").sum(),
    "sales": pl.col("sales").sum(),
    "price_mean": pl.col("price").mean(),
}


def by_window(table: pl.DataFrame, every: str, *groups: str) -> pl.DataFrame:
    """One row a group and window, which begins at `window_start` (epoch ms)."""
    start = pl.col("time").dt.truncate(every).dt.epoch("ms").alias("window_start")
    return table.group_by(start, *groups).agg(**FIGURES).sort("window_start", *groups)
