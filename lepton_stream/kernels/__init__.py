"""Kernels: commutative monoids over columns, one a file, and the functions that are read off them.

`from lepton_stream import kernels as k`, then `k.mean("pm25")` and the like name result columns in Python.
"""

from lepton_stream.kernels.calls import (
    correlation,
    count,
    covariance,
    distinct,
    first,
    histogram,
    last,
    max,  # noqa: A004
    mean,
    median,
    min,  # noqa: A004
    null_count,
    ohlc,
    quantile,
    range,  # noqa: A004
    rate,
    std,
    sum,  # noqa: A004
    top,
    variance,
    weighted_mean,
)

__all__ = [
    "correlation",
    "count",
    "covariance",
    "distinct",
    "first",
    "histogram",
    "last",
    "max",
    "mean",
    "median",
    "min",
    "null_count",
    "ohlc",
    "quantile",
    "range",
    "rate",
    "std",
    "sum",
    "top",
    "variance",
    "weighted_mean",
]
