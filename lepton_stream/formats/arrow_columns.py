"""Arrow arrays to columns of the plan's types, values that do not fit told apart by a status.

Which Arrow types a field may come from is decided once, when the file is opened; nothing is converted that would not
mean the same as JSON: no text becomes a number, no fraction an integer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lepton_stream.chunk import Values
from lepton_stream.columns import PADDING, Column, Mask, Numbers, Text
from lepton_stream.formats.csv_time import time_column
from lepton_stream.formats.decoder import Reason
from lepton_stream.formats.event_time import event_times
from lepton_stream.formats.gate import sift
from lepton_stream.formats.mending import INT_MAX
from lepton_stream.formats.settling import all_missing
from lepton_stream.formats.zones import local_to_utc
from lepton_stream.pipeline.plan import Field, FieldType, Source, TimeUnit

if TYPE_CHECKING:
    import pyarrow as pa

_DAY_S = 86_400

GOOD, WRONG, OUT_OF_RANGE, NOT_UTF8, TOO_LARGE, NO_TIME = range(6)

Array: TypeAlias = "pa.Array"
Status: TypeAlias = NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """`status` int8[n]: what is wrong with each value (`GOOD`: nothing); None where all are good or null.

    Values that are wrong are missing in the column.
    """

    column: Column
    status: Status | None = None


Reader: TypeAlias = Callable[[Array], Read]


def reader_of(kind: pa.DataType, field: Field, source: Source) -> Reader | None:
    """What reads a column of this type into the field; None where the types do not fit."""
    from pyarrow import types  # noqa: PLC0415  optional

    if types.is_null(kind):
        return lambda array: Read(all_missing(field, len(array)))
    if field.name == source.time and (types.is_timestamp(kind) or types.is_date(kind)):
        return lambda array: _moments(array, field, source)
    if field.type == "str":
        return (lambda array: _text(array, source.max_record_bytes)) if _holds_text(kind) else None
    if field.type == "bool":
        return _booleans if types.is_boolean(kind) else None
    if types.is_integer(kind):
        return _integers if field.type == "int" else _floats
    return _floats if field.type == "float" and types.is_floating(kind) else None


def type_for(kind: pa.DataType) -> FieldType | None:
    """The field type that takes a column of this Arrow type, if one does."""
    from pyarrow import types  # noqa: PLC0415  optional

    if types.is_boolean(kind):
        return "bool"
    if types.is_integer(kind):
        return "int"
    if types.is_floating(kind):
        return "float"
    return "str" if _holds_text(kind) else None


def _holds_text(kind: pa.DataType) -> bool:
    from pyarrow import types  # noqa: PLC0415  optional

    if types.is_dictionary(kind):
        return _holds_text(kind.value_type)
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _valid(array: Array) -> Mask | None:
    """Which rows hold a value; None if all do."""
    return _bits(array, 0) if array.null_count else None


def _bits(array: Array, buffer: int) -> Mask:
    """A buffer of bits, as far as the array reaches."""
    first, n = array.offset, len(array)
    held = np.frombuffer(array.buffers()[buffer], np.uint8)[first // 8 : (first + n + 7) // 8]
    return np.unpackbits(held, count=first % 8 + n, bitorder="little")[first % 8 :].astype(np.bool_)


def _values(array: Array, kind: type[np.generic], valid: Mask | None) -> NDArray[Any]:
    """A copy of numbers of this type, 0 for null. pyarrow's own functions would do; loading them takes 0.3 s."""
    held = array.buffers()[1]
    if held is None or not len(array):
        return np.zeros(len(array), kind)
    values = np.frombuffer(held, kind)[array.offset : array.offset + len(array)].copy()
    if valid is not None:
        values[~valid] = 0
    return values


def _without(valid: Mask | None, bad: Mask) -> Mask:
    return ~bad if valid is None else valid & ~bad


def _floats(array: Array) -> Read:
    valid = _valid(array)
    values = _values(array, array.type.to_pandas_dtype(), valid).astype(np.float64, copy=False)
    bad = ~np.isfinite(values)
    if not bad.any():
        return Read(Numbers(values, valid))
    values[bad] = 0
    return Read(Numbers(values, _without(valid, bad)), np.where(bad, WRONG, GOOD).astype(np.int8))


def _integers(array: Array) -> Read:
    valid = _valid(array)
    raw = _values(array, array.type.to_pandas_dtype(), valid)
    values = raw.astype(np.int64, copy=False)
    bad = raw > INT_MAX if raw.dtype == np.uint64 else np.zeros(0, np.bool_)
    if not bad.any():
        return Read(Numbers(values, valid))
    values[bad] = 0
    return Read(Numbers(values, _without(valid, bad)), np.where(bad, OUT_OF_RANGE, GOOD).astype(np.int8))


def _booleans(array: Array) -> Read:
    valid, values = _valid(array), _bits(array, 1) if len(array) else np.zeros(0, np.bool_)
    return Read(Numbers(values if valid is None else values & valid, valid))


def _text(array: Array, max_bytes: int) -> Read:
    from pyarrow import large_string, types  # noqa: PLC0415  optional

    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if types.is_string_view(array.type):
        array = array.cast(large_string())
    _, ends, held = array.buffers()
    width = np.int64 if types.is_large_string(array.type) else np.int32
    offsets = np.zeros(1, np.int64) if ends is None else np.frombuffer(ends, width).astype(np.int64)
    offsets = offsets[array.offset : array.offset + len(array) + 1]
    low, high = (int(offsets[0]), int(offsets[-1])) if len(offsets) else (0, 0)
    data = np.zeros(high - low + PADDING, np.uint8)
    if high > low:
        data[: high - low] = np.frombuffer(held, np.uint8)[low:high]
    start, length, valid = offsets[:-1] - low, np.diff(offsets), _valid(array)
    if valid is not None:
        length = np.where(valid, length, 0)
    passed, rejects = sift(Values(data, start, length), max_bytes)
    if not rejects:
        return Read(Text(data, start, length, valid))
    status = np.zeros(len(array), np.int8)
    for reject in rejects:
        status[reject.row] = TOO_LARGE if reject.reason is Reason.TOO_LARGE else NOT_UTF8
    return Read(Text(data, start, np.where(passed, length, 0), _without(valid, ~passed)), status)


def _moments(array: Array, field: Field, source: Source) -> Read:
    """Points in time as the plan's time field holds them; those without a zone are local in `time_zone`."""
    from pyarrow import types  # noqa: PLC0415  optional

    kind, valid = array.type, _valid(array)
    unit: TimeUnit
    unit, zone = (kind.unit, kind.tz) if types.is_timestamp(kind) else ("s" if types.is_date32(kind) else "ms", None)
    ticks = _values(array, np.int32 if types.is_date32(kind) else np.int64, valid).astype(np.int64)
    times, bad = event_times(Numbers(ticks * _DAY_S if types.is_date32(kind) else ticks), unit)
    if zone is None:
        times = np.where(bad, 0, local_to_utc(times, source.time_zone))
    column = time_column(times, field, source.time_unit)
    if not bad.any() and valid is None:
        return Read(column)
    mask = _without(valid, bad)
    status = np.where(bad, NO_TIME, GOOD).astype(np.int8) if bad.any() else None
    if isinstance(column, Text):
        return Read(Text(column.data, column.start, np.where(mask, column.length, 0), mask), status)
    return Read(Numbers(np.where(mask, column.values, np.zeros(1, column.values.dtype)), mask), status)
