"""Arrays as they are given: checked, and cut into views."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lepton_stream.errors import UsageError

Array: TypeAlias = NDArray[Any]
NaNs: TypeAlias = Literal["refuse", "omit", "propagate"]


def partition(x: object, num_partitions: int) -> list[Array]:
    """Views of consecutive rows, whose numbers differ by one at most. Raises UsageError."""
    array = array_of(x)
    if not isinstance(num_partitions, int | np.integer) or isinstance(num_partitions, bool):
        raise UsageError(f"num_partitions is {num_partitions!r}: expects a whole number")
    if not 1 <= num_partitions <= len(array):
        raise UsageError(
            f"num_partitions is {num_partitions}: expects 1 to {len(array)}, as the array has {len(array)} rows"
        )
    bounds = [len(array) * i // int(num_partitions) for i in range(int(num_partitions) + 1)]
    return [array[begin:end] for begin, end in pairwise(bounds)]


def array_of(x: object) -> Array:
    """The array. Raises UsageError for what is none, and for one without rows."""
    if not isinstance(x, np.ndarray):
        raise UsageError(f"x is a {type(x).__name__}: expects a NumPy array; numpy.asarray(x) makes one")
    if x.ndim == 0 or not len(x):
        raise UsageError(f"x has the shape {x.shape}: expects an array with rows")
    return x


def matrix_of(x: object, nan: NaNs = "refuse") -> Array:
    """Rows of finite numbers, shape (n, d). Raises UsageError.

    `nan`: what becomes of rows with NaN or infinity: "refuse" tells the first, "omit" leaves those rows out,
    "propagate" calculates as NumPy does.
    """
    array = array_of(x)
    if nan not in ("refuse", "omit", "propagate"):
        raise UsageError(f'nan is {nan!r}: expects "refuse", "omit" or "propagate"')
    if array.ndim != 2 or not array.shape[1]:
        raise UsageError(f"x has the shape {array.shape}: expects (rows, columns); one column is x.reshape(-1, 1)")
    if array.dtype.kind not in "fiub":
        raise UsageError(f"x holds {array.dtype}: expects real numbers; x.astype(float) may make them")
    if array.dtype.kind != "f" or nan == "propagate":
        return array
    whole = np.isfinite(array).all(axis=1)
    if whole.all():
        return array
    if nan == "omit":
        return array[whole]
    row = int(np.argmin(whole))
    column = int(np.argmin(np.isfinite(array[row])))
    raise UsageError(
        f"x[{row}, {column}] is {array[row, column]}, one of {int((~whole).sum()):,} rows with NaN or infinity: "
        'mend them, or say nan="omit" (without those rows) or nan="propagate" (as NumPy does)'
    )
