"""Calendar and zones for whole columns: dates to days, local time to UTC and back.

A local time that occurs twice (clocks set back) means its first occurrence; one that never occurs (clocks set
forward) is read with the offset before the change, so it moves forward by the gap. Both are what `zoneinfo` does with
`fold=0`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from lepton_stream.columns import Index, Mask

EARLIEST = -62_135_596_800_000_000
LATEST = 253_402_300_799_999_999
"""Years 0001 to 9999 in microseconds since 1970, both ends included."""

SECOND = 1_000_000
DAY = 86_400 * SECOND
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  local time of any zone
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local_to_utc(local: Index, zone: str) -> Index:
    """int64 µs of UTC for int64 µs of local time in an IANA zone. Times outside years 0001 to 9999 come back as is.

    Raises ZoneInfoNotFoundError for an unknown zone.
    """
    place = _zone(zone)
    if zone == "UTC" or not len(local):
        return local
    inside = np.clip(local, EARLIEST, LATEST)
    days, which = np.unique(inside // DAY, return_inverse=True)
    # A day that begins and ends with one offset has no change in it: one look-up serves all its rows.
    begin = _offsets(days * DAY, place)
    steady = begin == _offsets(np.minimum((days + 1) * DAY, LATEST), place)
    offset = begin[which]
    changing = np.flatnonzero(~steady[which])
    if len(changing):
        moments, back = np.unique(inside[changing], return_inverse=True)
        offset[changing] = _offsets(moments, place)[back]
    return np.where(inside == local, local - offset, local)


def utc_to_local(time: Index, zone: str) -> Index:
    """int64 µs of local time in an IANA zone for int64 µs of UTC in years 0001 to 9999 (beyond a day of their ends).

    Raises ZoneInfoNotFoundError for an unknown zone.
    """
    place = _zone(zone)
    if zone == "UTC" or not len(time):
        return time
    inside = np.clip(time, EARLIEST + DAY, LATEST - DAY)
    days, which = np.unique(inside // DAY, return_inverse=True)
    begin = _offsets_at(days * DAY, place)
    steady = begin == _offsets_at((days + 1) * DAY, place)
    offset = begin[which]
    changing = np.flatnonzero(~steady[which])
    if len(changing):
        moments, back = np.unique(inside[changing], return_inverse=True)
        offset[changing] = _offsets_at(moments, place)[back]
    return time + offset


def _offsets_at(time: Index, place: ZoneInfo) -> Index:
    """Offset from UTC in µs at each moment of UTC."""
    moments = (_EPOCH_UTC + timedelta(microseconds=m) for m in time.tolist())
    offsets = (moment.astimezone(place).utcoffset() or timedelta(0) for moment in moments)
    return np.fromiter((o // _MICROSECOND for o in offsets), np.int64, len(time))


def _offsets(local: Index, place: ZoneInfo) -> Index:
    """Offset from UTC in µs at each local time."""
    moments: Iterable[int] = local.tolist()
    offsets = (place.utcoffset(_EPOCH + timedelta(microseconds=m)) or timedelta(0) for m in moments)
    return np.fromiter((o // _MICROSECOND for o in offsets), np.int64, len(local))


def days_since_1970(year: Index, month: Index, day: Index) -> tuple[Index, Mask]:
    """(int64[n] days, bool[n] which are no dates of years 1 to 9999; those hold some number)."""
    bad = (year < 1) | (year > 9999) | (month < 1) | (month > 12)
    months = np.where(bad, 0, (np.where(bad, 1970, year) - 1970) * 12 + np.where(bad, 1, month) - 1)
    first = _first_day(months)
    bad |= (day < 1) | (day > _first_day(months + 1) - first)
    return first + np.where(bad, 1, day) - 1, bad


def _first_day(months: Index) -> Index:
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
