"""Calls in Python: `mean("pm25")` is what `"mean(pm25)"` is in TOML. One function for each entry of the catalogue.

They are read as `k.mean("pm25")`, from `lepton_stream import kernels as k`; some therefore share a built-in's name.
"""

from __future__ import annotations

from lepton_stream.pipeline.plan import Call

__all__ = ["count", "first", "last", "max", "mean", "min", "null_count", "std", "sum", "variance"]


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
