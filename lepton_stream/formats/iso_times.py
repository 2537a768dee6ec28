"""The usual layouts of ISO 8601 text, read for whole columns at once; all others are left to `datetime`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Index, Mask, Text
from lepton_stream.formats.zones import DAY, SECOND, days_since_1970

_FRACTION_DIGITS = {19: 0, 20: 0, 23: 3, 24: 3, 26: 6, 27: 6}
"""Length of a text to its digits behind the point; one more byte than a whole layout is the final Z."""

_ENDS_WITH_Z = (20, 24, 27)
_PAIRS = (5, 8, 11, 14, 17)
_MARKS = ((4, b"-"), (7, b"-"), (10, b"T "), (13, b":"), (16, b":"))


def usual_times(column: Text) -> tuple[Index, Mask, Mask]:
    """(int64[n] µs, bool[n] which rows were read, bool[n] which of these are UTC, not local time).

    Reads `YYYY-MM-DDTHH:MM:SS`, with T or a blank, with or without 3 or 6 digits of fraction and Z.
    """
    times = np.zeros(len(column), np.int64)
    read, utc = np.zeros(len(column), np.bool_), np.zeros(len(column), np.bool_)
    for length, digits in _FRACTION_DIGITS.items():
        rows = np.flatnonzero(column.length == length)
        if len(rows):
            text = column.data[column.start[rows, None] + np.arange(length)]
            times[rows], read[rows] = _layout(text, digits)
            utc[rows] = length in _ENDS_WITH_Z
    return times, read, utc & read


def _layout(text: NDArray[np.uint8], fraction_digits: int) -> tuple[Index, Mask]:
    """(µs, which rows fit). `text`: uint8[n, length]."""
    length = text.shape[1]
    fits = np.logical_and.reduce([np.isin(text[:, at], list(marks)) for at, marks in _MARKS])
    if length in _ENDS_WITH_Z:
        fits &= text[:, -1] == ord("Z")
    if fraction_digits:
        fits &= text[:, 19] == ord(".")
    year, year_fits = _number(text, 0, 4)
    fraction, fraction_fits = _number(text, 20, fraction_digits)
    parts, parts_fit = zip(*(_number(text, at, 2) for at in _PAIRS), strict=True)
    month, day, hour, minute, second = parts
    days, no_date = days_since_1970(year, month, day)
    fits &= year_fits & fraction_fits & np.logical_and.reduce(parts_fit) & ~no_date
    fits &= (hour < 24) & (minute < 60) & (second < 60)
    seconds = (hour * 60 + minute) * 60 + second
    return days * DAY + seconds * SECOND + fraction * 10 ** (6 - fraction_digits), fits


def _number(text: NDArray[np.uint8], at: int, digits: int) -> tuple[Index, Mask]:
    """(the number that these digits make, where they are digits)."""
    value, fits = np.zeros(len(text), np.int64), np.ones(len(text), np.bool_)
    for place in range(at, at + digits):
        digit = text[:, place] - np.uint8(ord("0"))  # anything else wraps to 10 or more
        fits &= digit < 10
        value = value * 10 + digit
    return value, fits
