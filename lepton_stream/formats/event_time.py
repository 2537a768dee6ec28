"""Event times: any column of moments to microseconds since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Column, Index, Mask, Numbers, Text, is_valid, pack, text_to_bytes
from lepton_stream.formats.iso_times import usual_times
from lepton_stream.formats.zones import EARLIEST, LATEST, local_to_utc
from lepton_stream.pipeline.plan import TimeUnit

_PER_UNIT = {"s": 1_000_000, "ms": 1_000, "us": 1}
_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL = datetime(1970, 1, 1)  # noqa: DTZ001  compared with naive times only
_MICROSECOND = timedelta(microseconds=1)


def event_times(column: Column, unit: TimeUnit, zone: str = "UTC") -> tuple[Index, Mask]:
    """(int64[n] µs since 1970 UTC, bool[n] which rows are no point in time; those hold 0).

    Numbers: floats are rounded to the nearest microsecond, integers taken exactly, nanoseconds floored. "iso8601":
    text as `datetime.fromisoformat` reads it; without an offset it is local time in `zone`. Missing rows, years
    outside 0001 to 9999 and columns of the wrong kind for the unit are bad.
    """
    if isinstance(column, Text):
        times, bad = _from_text(column, zone) if unit == "iso8601" else _none(len(column))
    elif unit == "iso8601" or column.values.dtype == np.bool_:
        times, bad = _none(len(column))
    else:
        times, bad = _from_numbers(column, unit)
    bad = bad | ~is_valid(column) | (times < EARLIEST) | (times > LATEST)
    return np.where(bad, 0, times), bad


def _none(n: int) -> tuple[Index, Mask]:
    return np.zeros(n, np.int64), np.ones(n, np.bool_)


def _from_numbers(column: Numbers, unit: TimeUnit) -> tuple[Index, Mask]:
    values = column.values
    if values.dtype == np.float64:
        return _from_floats(values.astype(np.float64, copy=False), unit)
    whole = values.astype(np.int64, copy=False)
    if unit == "ns":
        return whole // 1000, np.zeros(len(whole), np.bool_)
    per = _PER_UNIT[unit]
    bad = (whole < EARLIEST // per) | (whole > LATEST // per)  # judged first: the product must not overflow
    return np.where(bad, 0, whole) * per, bad


def _from_floats(values: NDArray[np.float64], unit: TimeUnit) -> tuple[Index, Mask]:
    if unit == "ns":
        values, per = np.floor(values / 1000.0), 1
    else:
        per = _PER_UNIT[unit]
    bad = ~(np.abs(values) <= LATEST / per)
    values = np.where(bad, 0.0, values)
    # Whole and fraction apart: their product with `per` is exact, or rounded where it no longer matters.
    whole = np.floor(values)
    return whole.astype(np.int64) * per + np.rint((values - whole) * per).astype(np.int64), bad


def _from_text(column: Text, zone: str) -> tuple[Index, Mask]:
    times, read, utc = usual_times(column)
    kind = np.where(read, np.where(utc, _IS_UTC, _IS_LOCAL), _IS_BAD)
    rest = np.flatnonzero(~read)
    if len(rest):
        parsed = [_parse(text) for text in text_to_bytes(pack(_rows(column, rest)))]
        times[rest], kind[rest] = np.array(parsed, np.int64).T
    local = kind == _IS_LOCAL
    if local.any():
        times[local] = local_to_utc(times[local], zone)
    return times, kind == _IS_BAD


def _rows(column: Text, rows: Index) -> Text:
    return Text(column.data, column.start[rows], column.length[rows])


_IS_BAD, _IS_UTC, _IS_LOCAL = 0, 1, 2


def _parse(text: bytes) -> tuple[int, int]:
    """(µs, kind)."""
    try:
        moment = datetime.fromisoformat(text.decode())
    except ValueError:
        return 0, _IS_BAD
    if moment.tzinfo is None:
        return (moment - _LOCAL) // _MICROSECOND, _IS_LOCAL
    return (moment - _UTC) // _MICROSECOND, _IS_UTC
