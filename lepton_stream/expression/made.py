"""Columns that expressions make: constants, masks of several columns, and the settled form of a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import PADDING, Column, Mask, Numbers, Text
from lepton_stream.expression.tree import Kind, Scalar

DTYPES: dict[Kind, type[np.generic]] = {"float": np.float64, "int": np.int64, "bool": np.bool_}


def constant(value: Scalar, kind: Kind, n: int) -> Column:
    """The same value in n rows, held once."""
    if kind == "str":
        word = str(value).encode()
        data = np.frombuffer(word + bytes(PADDING), np.uint8)
        return Text(data, np.broadcast_to(np.int64(0), n), np.broadcast_to(np.int64(len(word)), n))
    return Numbers(np.broadcast_to(np.array(value, DTYPES[kind]), n))


def valid_in_all(columns: Sequence[Column]) -> Mask | None:
    """Where every column has a value; None: everywhere."""
    valid: Mask | None = None
    for column in columns:
        if column.valid is not None:
            valid = column.valid if valid is None else valid & column.valid
    return valid


def numbers(values: NDArray[Any], valid: Mask | None, bad: Mask | None = None) -> Numbers:
    """A column of these values, missing where not valid, and where `bad`. What missing rows hold is 0."""
    if bad is not None and bad.any():
        valid = ~bad if valid is None else valid & ~bad
    if valid is None:
        return Numbers(values)
    return Numbers(np.where(valid, values, values.dtype.type(0)), valid)


def settled(column: Column) -> Column:
    """The form that columns have everywhere else: arrays of their own, no mask where nothing is missing."""
    valid = column.valid
    if valid is not None:
        valid = None if valid.all() else np.ascontiguousarray(valid)
    if isinstance(column, Numbers):
        values = column.values if valid is None else np.where(valid, column.values, column.values.dtype.type(0))
        return Numbers(np.ascontiguousarray(values), valid)
    length = column.length if valid is None else np.where(valid, column.length, 0)
    return Text(column.data, np.ascontiguousarray(column.start), np.ascontiguousarray(length), valid)
