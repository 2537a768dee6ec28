"""The usual layouts of ISO 8601 text, read for whole columns at once; all others are left to `datetime`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Index, Mask, Text
from lepton_stream.formats.zones import DAY, SECOND, days_since_1970

Letters = NDArray[np.uint8]
"""uint8[length, n]: the texts of one length, a letter a row."""

_SECONDS_END = 19
_FRACTION_DIGITS = 9
_BARE, _Z, _OFFSET = 0, 1, 6
"""Kinds of ending by their length: none, `Z`, `+HH:MM`."""
_LONGEST = _SECONDS_END + 1 + _FRACTION_DIGITS + _OFFSET
_PAIRS = (5, 8, 11, 14, 17)
_MARKS = ((4, b"-"), (7, b"-"), (10, b"T "), (13, b":"), (16, b":"))


def usual_times(column: Text) -> tuple[Index, Mask, Mask]:
    """(int64[n] µs, bool[n] which rows were read, bool[n] which of these are UTC, not local time).

    Reads `YYYY-MM-DDTHH:MM:SS`, with T or a blank, with or without a fraction of 1 to 9 digits (what is finer than a
    microsecond is cut off), followed by nothing, `Z` or an offset such as `-05:00`.
    """
    times = np.zeros(len(column), np.int64)
    read, utc = np.zeros(len(column), np.bool_), np.zeros(len(column), np.bool_)
    for length in np.flatnonzero(np.bincount(np.clip(column.length, 0, _LONGEST + 1))).tolist():
        if _SECONDS_END <= length <= _LONGEST:
            rows = np.flatnonzero(column.length == length)
            letters = column.data[column.start[rows] + np.arange(length)[:, None]]
            ending = _endings(letters)
            for kind in np.flatnonzero(np.bincount(ending)).tolist():
                alike = ending == kind
                every = alike.all()
                at = rows if every else rows[alike]
                times[at], read[at] = _layout(letters if every else letters[:, alike], kind)
                utc[at] = kind != _BARE
    return times, read, utc & read


def _endings(letters: Letters) -> Index:
    """The kind of each text's ending, as far as one or two letters tell it."""
    z = letters[-1] == ord("Z")
    offset = (letters[-3] == ord(":")) & ((letters[-6] == ord("+")) | (letters[-6] == ord("-")))
    if len(letters) < _SECONDS_END + _OFFSET:
        offset[:] = False
    return np.where(z, _Z, np.where(offset, _OFFSET, _BARE))


def _layout(letters: Letters, ending: int) -> tuple[Index, Mask]:
    """(µs, which texts fit) of texts with one kind of ending."""
    end = len(letters) - ending
    digits = end - _SECONDS_END - 1  # of the fraction, behind its point; -1: there is none
    fits = np.logical_and.reduce([_is_one_of(letters[at], marks) for at, marks in _MARKS])
    if digits == 0 or digits > _FRACTION_DIGITS:
        return np.zeros(len(fits), np.int64), np.zeros(len(fits), np.bool_)
    times, timely = _moment(letters)
    fits &= timely
    if digits > 0:
        fraction, fraction_fits = _number(letters, _SECONDS_END + 1, digits)
        fits &= (letters[_SECONDS_END] == ord(".")) & fraction_fits
        times += fraction * 10 ** (6 - digits) if digits <= 6 else fraction // 10 ** (digits - 6)
    if ending == _OFFSET:
        shift, shift_fits = _shift(letters[end:])
        times, fits = times - shift, fits & shift_fits
    return times, fits


def _is_one_of(letter: NDArray[np.uint8], marks: bytes) -> Mask:
    return np.logical_or.reduce([letter == mark for mark in marks])


def _moment(letters: Letters) -> tuple[Index, Mask]:
    """(µs of date, hour, minute and second, where these are such)."""
    year, year_fits = _number(letters, 0, 4)
    parts, parts_fit = zip(*(_number(letters, at, 2) for at in _PAIRS), strict=True)
    month, day, hour, minute, second = parts
    days, no_date = days_since_1970(year, month, day)
    fits = year_fits & np.logical_and.reduce(parts_fit) & ~no_date
    fits &= (hour < 24) & (minute < 60) & (second < 60)
    return days * DAY + ((hour * 60 + minute) * 60 + second) * SECOND, fits


def _shift(letters: Letters) -> tuple[Index, Mask]:
    """(µs that an offset such as `-05:00` is ahead of UTC, where it is one)."""
    hours, hours_fit = _number(letters, 1, 2)
    minutes, minutes_fit = _number(letters, 4, 2)
    size = (hours * 60 + minutes) * (60 * SECOND)
    return np.where(letters[0] == ord("-"), -size, size), hours_fit & minutes_fit & (hours < 24) & (minutes < 60)


def _number(letters: Letters, at: int, digits: int) -> tuple[Index, Mask]:
    """(the number that these digits make, where they are digits)."""
    value, fits = np.zeros(letters.shape[1], np.int64), np.ones(letters.shape[1], np.bool_)
    for place in range(at, at + digits):
        digit = letters[place] - np.uint8(ord("0"))  # anything else wraps to 10 or more
        fits &= digit < 10
        value = value * 10 + digit
    return value, fits
