"""`[source.file]`: how an input file differs from the topic's records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lepton_stream.pipeline.fields import Known
from lepton_stream.pipeline.findings import Findings, Path
from lepton_stream.pipeline.near import nearest
from lepton_stream.pipeline.plan import FileForm, FileTime

_PATH: Path = ("source", "file")
_CSV_ONLY = ("delimiter", "header", "columns", "null")
_OTHERS = ("json", "parquet", "arrow")
_SAMPLE = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


def check_file(source: Mapping[str, Any], known: Known, found: Findings) -> None:
    """Keys of [source.file] fit each other and the fields."""
    raw = source.get("file")
    if raw is None:
        return
    if raw.get("format") in _OTHERS:
        for key in _CSV_ONLY:
            if raw.get(key) is not None:
                found.add((*_PATH, key), raw[key], 'is for files with format = "csv"')
    _check_columns(raw, found)
    _check_rename(raw, known, found)
    if raw.get("time") is not None:
        _check_time(raw["time"], source, found)


def _check_columns(raw: Mapping[str, Any], found: Findings) -> None:
    columns, header = raw.get("columns"), raw.get("header")
    if header is False and "columns" in raw and columns is None:
        found.add(_PATH, raw, "expects columns, since header = false")
    if columns is None or raw.get("format") in _OTHERS:
        return
    if header is not False:
        found.add((*_PATH, "columns"), columns, "expects header = false beside it: a header names the columns itself")
    asked = [((*_PATH, "rename", column), column) for column in raw.get("rename") or ()]
    asked += [((*_PATH, "time", "columns"), column) for column in (raw.get("time") or {}).get("columns", ())]
    for path, column in asked:
        if column not in columns:
            found.add(path, column, "no such column in source.file.columns", nearest(column, columns))


def _check_rename(raw: Mapping[str, Any], known: Known, found: Findings) -> None:
    taken: dict[str, str] = {}
    for column, name in (raw.get("rename") or {}).items():
        path = (*_PATH, "rename", column)
        if name not in known.fields and name not in known.broken:
            found.add(path, name, "no such field in [fields]", nearest(name, known.fields))
        if name in taken:
            found.add(path, name, f"expects a field of its own; column {taken[name]} has this one")
        taken.setdefault(name, column)


def _check_time(time: Mapping[str, Any], source: Mapping[str, Any], found: Findings) -> None:
    path = (*_PATH, "time")
    columns, form = time.get("columns"), time.get("format")
    if "format" in time and form is None and columns is not None and not 3 <= len(columns) <= 6:
        found.add((*path, "columns"), columns, "expects year, month, day and perhaps hour, minute, second; or a format")
    if form is not None and not _tells_the_day(form):
        found.add((*path, "format"), form, "expects a strptime format that tells year, month and day")
    if source.get("time_unit") == "iso8601":
        found.add(path, time, "makes a number of the time; expects source.time_unit s, ms, us or ns")


def _tells_the_day(form: str) -> bool:
    try:
        return datetime.strptime(_SAMPLE.strftime(form), form).date() == _SAMPLE.date()  # noqa: DTZ007  (only its date)
    except ValueError:
        return False


def make_file(raw: Mapping[str, Any] | None) -> FileForm:
    """The file form of checked keys; what is left out is as in `plan.FileForm`."""
    if raw is None:
        return FileForm()
    given = {key: raw[key] for key in ("format", *_CSV_ONLY) if raw[key] is not None}
    time = None if raw["time"] is None else FileTime(**raw["time"])
    return FileForm(**given, rename=tuple((raw["rename"] or {}).items()), time=time)
