"""What every decoder says and does about a field that is missing, null or of the wrong type."""

from __future__ import annotations

from collections import Counter

import numpy as np

from lepton_stream.columns import PADDING, Column, Mask, Numbers, Text, is_valid, text_from_strings
from lepton_stream.formats.decoder import Reason
from lepton_stream.pipeline.plan import Default, Field, Scalar

DTYPES: dict[str, type[np.generic]] = {"float": np.float64, "int": np.int64, "bool": np.bool_}
WISH = {"str": "a string", "float": "a number", "int": "an integer", "bool": "true or false"}
INT_MIN, INT_MAX = -(2**63), 2**63 - 1


def may_be_missing(field: Field) -> bool:
    """True if a record without the field is kept: it is optional, or on_bad mends it."""
    return not field.required or mends(field)


def mends(field: Field) -> bool:
    """True if on_bad has a value for one that is missing or of the wrong type."""
    return field.on_bad == "null" or isinstance(field.on_bad, Default)


def mended_value(field: Field) -> Scalar | None:
    """What takes the place of a bad value, in the field's own type; None for null."""
    if not isinstance(field.on_bad, Default):
        return None
    value = field.on_bad.value
    return float(value) if field.type == "float" else value


def missing(field: Field) -> tuple[Reason, str]:
    """Reason and detail for a required field that is absent or null."""
    return Reason.MISSING_FIELD, f"{field.name}: expected {WISH[field.type]}, got nothing"


def wrong_type(field: Field, got: str) -> tuple[Reason, str]:
    """Reason and detail; `got` names a type, never the data."""
    return Reason.WRONG_TYPE, f"{field.name}: expected {WISH[field.type]}, got {got}"


def out_of_range(field: Field) -> tuple[Reason, str]:
    """Reason and detail for an integer that int64 cannot hold."""
    return Reason.INT_OUT_OF_RANGE, f"{field.name}: expected an integer from {INT_MIN} to {INT_MAX}"


def column(field: Field, values: list[Scalar | None], mended: Counter[str]) -> Column:
    """Column of checked Python values. A required field's None is mended and counted, save those counted as type."""
    if field.required and may_be_missing(field) and None in values:
        value = mended_value(field)
        mended[f"{field.name}.missing"] += values.count(None) - (mended[f"{field.name}.type"] if value is None else 0)
        values = [value if v is None else v for v in values]
    if field.type == "str":
        return text_from_strings(values)  # type: ignore[arg-type]
    if not may_be_missing(field) or None not in values:
        return Numbers(np.array(values, DTYPES[field.type]))
    valid = np.fromiter((v is not None for v in values), np.bool_, len(values))
    return Numbers(np.array([0 if v is None else v for v in values], DTYPES[field.type]), valid)


def replace(column: Column, rows: Mask, value: Scalar | None) -> Column:
    """The column with one value in these rows; None makes them missing. The original is left alone."""
    valid: Mask | None = is_valid(column) & ~rows if value is None else is_valid(column) | rows
    if valid is not None and valid.all():
        valid = None
    if isinstance(column, Text):
        word = str(value or "").encode()
        data = np.concatenate([column.data, np.frombuffer(word + bytes(PADDING), np.uint8)]) if word else column.data
        start = np.where(rows, len(column.data) if word else 0, column.start)
        return Text(data, start, np.where(rows, len(word), column.length), valid)
    values = column.values.copy()
    values[rows] = 0 if value is None else value
    return Numbers(values, valid)
