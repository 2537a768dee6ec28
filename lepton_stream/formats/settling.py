"""Columns of typed cells, a mask for each thing that is wrong with one: rejected or mended, as `on_bad` says."""

from __future__ import annotations

import numpy as np

from lepton_stream.columns import Column, Mask, Numbers, Text, is_valid, text_from_bytes
from lepton_stream.formats.decoder import Reason
from lepton_stream.formats.mending import DTYPES, mended_value, mends, missing, out_of_range, replace, wrong_type
from lepton_stream.formats.verdicts import Verdicts
from lepton_stream.pipeline.plan import Field


def settle(
    field: Field,
    column: Column,
    wrong: Mask | None,
    outside: Mask | None,
    verdicts: Verdicts,
    got: str = "other text",
) -> Column:
    """Reject or mend what is missing or wrong (`wrong`: it is `got`, `outside` int64; missing in the column too)."""
    if column.valid is None:
        return column
    of_type = np.zeros(len(column), np.bool_)
    for rows, (reason, detail) in ((wrong, wrong_type(field, got)), (outside, out_of_range(field))):
        if rows is not None:
            of_type |= rows
            column = _mend(field, column, rows, "type", verdicts, reason, detail)
    absent = ~is_valid(column) & ~of_type
    if field.required and absent.any():
        column = _mend(field, column, absent, "missing", verdicts, *missing(field))
    return column


def _mend(
    field: Field, column: Column, rows: Mask, rule: str, verdicts: Verdicts, reason: Reason, detail: str
) -> Column:
    if not mends(field):
        verdicts.reject(rows, reason, detail)
        return column
    verdicts.mend(rows, f"{field.name}.{rule}")
    return replace(column, rows, mended_value(field))


def reject_some(verdicts: Verdicts, rows: Mask, reason: Reason, detail: str) -> None:
    """Reject these rows, if there are any."""
    if rows.any():
        verdicts.reject(rows, reason, detail)


def all_missing(field: Field, n: int) -> Column:
    """The column of a field that no row has."""
    if field.type == "str":
        return text_from_bytes([None] * n)
    return Numbers(np.zeros(n, DTYPES[field.type]), np.zeros(n, np.bool_))


def without_idle_mask(column: Column) -> Column:
    """The same without a mask that says nothing."""
    if column.valid is None or not column.valid.all():
        return column
    return Text(column.data, column.start, column.length) if isinstance(column, Text) else Numbers(column.values)
