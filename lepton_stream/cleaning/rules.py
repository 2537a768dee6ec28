"""The plan's rules over columns: min, max, one_of, and what on_bad does with a value that breaks one.

Rules are judged in the order of the fields, within a field min, max, one_of; the first broken one gives a record's
reason. Missing values break no rule, and a value that was mended is not judged again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lepton_stream.columns import Column, Mask, Numbers, Text, is_valid, text_is_one_of
from lepton_stream.formats.decoder import Decoded, Reason
from lepton_stream.formats.mending import replace
from lepton_stream.formats.verdicts import Verdicts
from lepton_stream.pipeline.plan import Default, Field, Scalar

_INT64 = np.iinfo(np.int64)
_SHOWN = 8  # allowed values that a detail names


@dataclass(frozen=True, slots=True)
class _Broken:
    """Rows that break one rule; `limit` is what `clip` sets them to."""

    rule: str
    rows: Mask
    reason: Reason
    wish: str
    limit: Scalar | None = None


def clean(decoded: Decoded, fields: Sequence[Field]) -> Decoded:
    """Judge each field's rules: rejected rows leave, mended values are counted per rule (`pm25.max`)."""
    verdicts = Verdicts(len(decoded.rows))
    columns = dict(decoded.columns)
    for field in fields:
        if field.min is not None or field.max is not None or field.one_of is not None:
            columns[field.name] = _clean_field(columns[field.name], field, verdicts)
    return verdicts.apply(decoded, columns)


def _clean_field(column: Column, field: Field, verdicts: Verdicts) -> Column:
    judged = is_valid(column)
    original = column
    for broken in _broken(original, field):
        rows = broken.rows & judged
        if not rows.any():
            continue
        judged = judged & ~rows
        value, mends = _replacement(field, broken)
        if not mends:
            verdicts.reject(rows, broken.reason, f"{field.name}: expected {broken.wish}")
            continue
        verdicts.mend(rows, f"{field.name}.{broken.rule}")
        column = replace(column, rows, value)
    return column


def _replacement(field: Field, broken: _Broken) -> tuple[Scalar | None, bool]:
    """(the value that takes the bad one's place, whether there is one at all)."""
    if isinstance(field.on_bad, Default):
        return field.on_bad.value, True
    if field.on_bad == "clip":
        return broken.limit, broken.limit is not None
    return None, field.on_bad == "null"


def _broken(column: Column, field: Field) -> Iterator[_Broken]:
    """The field's rules with the rows that break them; missing rows are not told apart here."""
    if isinstance(column, Numbers):
        if field.min is not None:
            low = _bound(field, field.min, up=True)
            yield _Broken("min", column.values < low, Reason.BELOW_MIN, f"at least {field.min}", low)
        if field.max is not None:
            high = _bound(field, field.max, up=False)
            yield _Broken("max", column.values > high, Reason.ABOVE_MAX, f"at most {field.max}", high)
    if field.one_of is not None:
        more = ", ..." if len(field.one_of) > _SHOWN else ""
        wish = "one of " + ", ".join(map(str, field.one_of[:_SHOWN])) + more
        yield _Broken("one_of", ~_is_one_of(column, field.one_of), Reason.NOT_ONE_OF, wish)


def _bound(field: Field, bound: float, *, up: bool) -> float | int:
    """The bound in the field's own type: integers are never compared through floats."""
    if field.type != "int":
        return float(bound)
    return min(max(math.ceil(bound) if up else math.floor(bound), _INT64.min), _INT64.max)


def _is_one_of(column: Column, allowed: tuple[Scalar, ...]) -> Mask:
    if isinstance(column, Text):
        return text_is_one_of(column, [a.encode() for a in allowed if isinstance(a, str)])
    return np.isin(column.values, np.array(allowed, column.values.dtype))
