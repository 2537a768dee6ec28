"""Kernels: commutative monoids over columns, one a file, and the functions that are read off them.

`from lepton_stream import kernels as k`, then `k.mean("pm25")` and the like name result columns in Python.
"""

from lepton_stream.kernels.calls import count, first, last, max, mean, min, null_count, std, sum, variance  # noqa: A004

__all__ = ["count", "first", "last", "max", "mean", "min", "null_count", "std", "sum", "variance"]
