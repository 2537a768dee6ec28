"""Event time put together from file columns, written into the plan's time field in the plan's unit.

So everything behind the decoder finds the same time field as in a topic's records. Local times are turned into UTC by
the rules of `zones`. In an integer field of seconds or milliseconds the rest is cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Column, Index, Mask, Numbers, is_valid, text_from_strings
from lepton_stream.formats.csv_cells import CellReader
from lepton_stream.formats.zones import DAY, EARLIEST, LATEST, SECOND, days_since_1970, local_to_utc
from lepton_stream.pipeline.plan import Field, FileTime, TimeUnit

_LOCAL = datetime(1970, 1, 1)  # noqa: DTZ001  compared with naive times only
_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BELOW = (24, 60, 60)


class TimeParts:
    """Reads the event time of each row from the cells of its columns."""

    def __init__(self, form: FileTime) -> None:
        self._form = form
        kinds = ["float" if i == 5 else "int" for i in range(len(form.columns))]
        self._readers = [CellReader("float" if k == "float" else "int", frozenset()) for k in kinds]

    def read(self, cells: Sequence[Sequence[bytes]]) -> tuple[Index, Mask]:
        """(int64[n] µs UTC, bool[n] which rows are no point in time; those hold 0). `cells`: one sequence a column."""
        times, bad = self._numeric(cells) if self._form.format is None else self._formatted(cells, self._form.format)
        bad = bad | (times < EARLIEST) | (times > LATEST)
        return np.where(bad, 0, times), bad

    def _numeric(self, cells: Sequence[Sequence[bytes]]) -> tuple[Index, Mask]:
        columns = [reader.read(c)[0] for reader, c in zip(self._readers, cells, strict=True)]
        parts = [c.values for c in columns if isinstance(c, Numbers)]
        bad = ~np.logical_and.reduce([is_valid(c) for c in columns])
        days, no_date = days_since_1970(*(p.astype(np.int64) for p in parts[:3]))
        local = days * DAY
        for part, below, unit in zip(parts[3:], _BELOW, (3600, 60, 1), strict=False):
            no_date |= (part < 0) | (part >= below)
            local += np.rint(np.where(no_date, 0, part) * (unit * SECOND)).astype(np.int64)
        bad = bad | no_date
        return local_to_utc(np.where(bad, 0, local), self._form.zone), bad

    def _formatted(self, cells: Sequence[Sequence[bytes]], form: str) -> tuple[Index, Mask]:
        known: dict[tuple[bytes, ...], tuple[int, int]] = {}
        found = np.zeros((len(cells[0]), 2), np.int64)
        for row, text in enumerate(zip(*cells, strict=True)):
            if text not in known:
                known[text] = _strptime(b" ".join(text).decode(), form)
            found[row] = known[text]
        times, kind = found[:, 0].copy(), found[:, 1]
        local = kind == _IS_LOCAL
        times[local] = local_to_utc(times[local], self._form.zone)
        return times, kind == _IS_BAD


_IS_BAD, _IS_UTC, _IS_LOCAL = 0, 1, 2


def _strptime(text: str, form: str) -> tuple[int, int]:
    try:
        moment = datetime.strptime(text, form)  # noqa: DTZ007  the zone is the plan's
    except ValueError:
        return 0, _IS_BAD
    if moment.tzinfo is None:
        return (moment - _LOCAL) // _MICROSECOND, _IS_LOCAL
    return (moment - _UTC) // _MICROSECOND, _IS_UTC


def time_column(times: Index, field: Field, unit: TimeUnit) -> Column:
    """int64 µs as the plan's time field holds them: seconds as float, milliseconds as int, ISO 8601 text, ..."""
    if unit == "iso8601" or field.type == "str":
        return text_from_strings([f"{t}Z" for t in np.datetime_as_string(times.astype("datetime64[us]")).tolist()])
    if unit == "ns":
        scaled: NDArray[np.int64] = times * 1000
        return Numbers(scaled if field.type == "int" else scaled.astype(np.float64))
    per = {"s": SECOND, "ms": 1000, "us": 1}[unit]
    return Numbers(times // per if field.type == "int" else times / per)
