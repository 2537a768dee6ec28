"""Calls in Python: `mean("pm25")` is what `"mean(pm25)"` is in TOML. One function for each entry of the catalogue.

They are read as `k.mean("pm25")`, from `lepton_stream import kernels as k`; some therefore share a built-in's name.
"""

from __future__ import annotations

from lepton_stream.pipeline.plan import Call

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


def count(field: str | None = None) -> Call:
    """Rows of the group; with a field: rows where it is there."""
    return Call("count", () if field is None else (field,))


def null_count(field: str) -> Call:
    """Rows where the field is null."""
    return Call("null_count", (field,))


def sum(field: str) -> Call:  # noqa: A001  (k.sum is what a reader looks for)
    """Exact sum, rounded once."""
    return Call("sum", (field,))


def mean(field: str) -> Call:
    """Arithmetic mean."""
    return Call("mean", (field,))


def variance(field: str) -> Call:
    """Sample variance (n - 1)."""
    return Call("variance", (field,))


def std(field: str) -> Call:
    """Sample standard deviation (n - 1)."""
    return Call("std", (field,))


def min(field: str) -> Call:  # noqa: A001  (the same)
    """Smallest value."""
    return Call("min", (field,))


def max(field: str) -> Call:  # noqa: A001  (the same)
    """Largest value."""
    return Call("max", (field,))


def first(field: str) -> Call:
    """Value with the earliest event time; ties: source partition, then offset."""
    return Call("first", (field,))


def last(field: str) -> Call:
    """Value with the latest event time; ties: source partition, then offset."""
    return Call("last", (field,))


def range(field: str) -> Call:  # noqa: A001  (the same)
    """Largest value less the smallest."""
    return Call("range", (field,))


def rate(field: str) -> Call:
    """Last value less the first, per second of event time between them; null at one time."""
    return Call("rate", (field,))


def ohlc(field: str) -> Call:
    """List of the first, the largest, the smallest and the last value."""
    return Call("ohlc", (field,))


def quantile(field: str, q: float) -> Call:
    """Value of rank ceil(q n); exact up to 64 different values in a group, then within 1 % of it."""
    return Call("quantile", (field, q))


def median(field: str) -> Call:
    """Quantile of q = 0.5: the lower one of two values in the middle."""
    return Call("median", (field,))


def distinct(field: str) -> Call:
    """How many different values; exact up to 256 in a group, then with a standard error of 1.6 %."""
    return Call("distinct", (field,))


def top(field: str, k: int) -> Call:
    """List of the k most frequent values as {value, count, error}; exact up to 256 different values in a group.

    Beyond, a value occurred from `count` to `count + error` times; `error` is at most n / 257.
    """
    return Call("top", (field, k))


def histogram(field: str, low: float, high: float, bins: int) -> Call:
    """List of counts: below low, in equal bins from low to high, above high."""
    return Call("histogram", (field, low, high, bins))


def covariance(field1: str, field2: str) -> Call:
    """Sample covariance (n - 1) of the rows where both are there."""
    return Call("covariance", (field1, field2))


def correlation(field1: str, field2: str) -> Call:
    """Correlation (Pearson) of the rows where both are there."""
    return Call("correlation", (field1, field2))


def weighted_mean(field1: str, field2: str) -> Call:
    """Mean of the first field with the weights of the second, such as price by volume, where both are there."""
    return Call("weighted_mean", (field1, field2))
