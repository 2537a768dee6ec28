"""Event time put together from file columns, written into the plan's time field in the plan's unit.

So everything behind the decoder finds the same time field as in a topic's records. Local times are turned into UTC by
the rules of `zones`. In an integer field of seconds or milliseconds the rest is cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Column, Index, Mask, Numbers, Text, is_valid, pack, text_from_strings, text_to_bytes
from lepton_stream.formats.csv_cells import CellReader
from lepton_stream.formats.iso_times import usual_times
from lepton_stream.formats.zones import DAY, EARLIEST, LATEST, SECOND, days_since_1970, local_to_utc
from lepton_stream.pipeline.plan import Field, FieldType, FileTime, TimeUnit

_LOCAL = datetime(1970, 1, 1)  # noqa: DTZ001  compared with naive times only
_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BELOW = (24, 60, 60)
_USUAL = {"%Y-%m-%d %H:%M:%S": ord(" "), "%Y-%m-%dT%H:%M:%S": ord("T")}
_USUAL_LENGTH, _MARK_AT = 19, 10


class TimeParts:
    """Reads the event time of each row from the cells of its columns."""

    def __init__(self, form: FileTime) -> None:
        self._form = form
        kind: FieldType = "int" if form.format is None else "str"
        self.kinds: list[FieldType] = ["float" if i == 5 and kind == "int" else kind for i in range(len(form.columns))]
        self._readers = [CellReader(kind, frozenset()) for kind in self.kinds]

    def read(self, cells: Sequence[Sequence[bytes]]) -> tuple[Index, Mask]:
        """(int64[n] µs UTC, bool[n] which rows are no point in time; those hold 0). `cells`: one sequence a column."""
        return self.read_columns([reader.read(c)[0] for reader, c in zip(self._readers, cells, strict=True)])

    def read_columns(self, columns: Sequence[Column]) -> tuple[Index, Mask]:
        """The same for columns of `kinds`: what is missing in one is no point in time."""
        form = self._form.format
        times, bad = self._numeric(columns) if form is None else self._formatted(columns, form)
        bad = bad | (times < EARLIEST) | (times > LATEST)
        return np.where(bad, 0, times), bad

    def _numeric(self, columns: Sequence[Column]) -> tuple[Index, Mask]:
        parts = [c.values for c in columns if isinstance(c, Numbers)]
        bad = ~np.logical_and.reduce([is_valid(c) for c in columns])
        days, no_date = days_since_1970(*(p.astype(np.int64) for p in parts[:3]))
        local = days * DAY
        for part, below, unit in zip(parts[3:], _BELOW, (3600, 60, 1), strict=False):
            no_date |= (part < 0) | (part >= below)
            local += np.rint(np.where(no_date, 0, part) * (unit * SECOND)).astype(np.int64)
        bad = bad | no_date
        return local_to_utc(np.where(bad, 0, local), self._form.zone), bad

    def _formatted(self, columns: Sequence[Column], form: str) -> tuple[Index, Mask]:
        texts = [column for column in columns if isinstance(column, Text)]
        times, read = _usual(texts, form)
        kind = np.where(read, _IS_LOCAL, _IS_BAD)
        rest = np.flatnonzero(~read)
        known: dict[tuple[bytes, ...], tuple[int, int]] = {}
        cells = [text_to_bytes(pack(Text(t.data, t.start[rest], t.length[rest]))) for t in texts]
        for row, text in zip(rest.tolist(), zip(*cells, strict=True), strict=True):
            if text not in known:
                known[text] = _strptime(b" ".join(text).decode(), form)
            times[row], kind[row] = known[text]
        local = kind == _IS_LOCAL
        times[local] = local_to_utc(times[local], self._form.zone)
        return times, kind == _IS_BAD


def _usual(texts: Sequence[Text], form: str) -> tuple[Index, Mask]:
    """(int64[n] µs, bool[n] which rows were read) of a format that `usual_times` knows too; strptime has the rest."""
    mark, text = _USUAL.get(form), texts[0]
    if mark is None or len(texts) > 1:
        return np.zeros(len(text), np.int64), np.zeros(len(text), np.bool_)
    times, read, _ = usual_times(text)
    read &= text.length == _USUAL_LENGTH
    read[read] = text.data[text.start[read] + _MARK_AT] == mark
    return times, read


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
