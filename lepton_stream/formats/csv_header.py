"""The columns of a CSV file: their names, and which of them the plan's fields come from."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from lepton_stream.errors import PlanError, Problem
from lepton_stream.formats.csv_lines import MalformedLine, split_line, without_line_end
from lepton_stream.pipeline.plan import Field, FileForm

_BOM = b"\xef\xbb\xbf"


def parse_header(line: bytes, form: FileForm) -> tuple[str, ...]:
    """Column names as the file gives them; a byte order mark is dropped. Raises PlanError."""
    try:
        cells = split_line(without_line_end(line.removeprefix(_BOM)), form.delimiter.encode())
        return tuple(c.decode() for c in cells)
    except (MalformedLine, UnicodeDecodeError):
        problem = Problem("source.file.header", "", "expects the first line to name the columns", where="line 1")
        raise PlanError("the file's first line is no header", [problem]) from None


@dataclass(frozen=True, slots=True)
class Layout:
    """`width`: cells in a line; `place[field]`: its column; `time`: columns of the event time, () if it is a field.

    `unused`: names of the columns that nothing is read from.
    """

    width: int
    place: dict[str, int]
    time: tuple[int, ...]
    unused: tuple[str, ...] = ()


def layout(header: Sequence[str], fields: Sequence[Field], form: FileForm, time: str) -> Layout:
    """Where each field is. Optional fields may be absent. Raises PlanError that names every problem at once."""
    renames = dict(form.rename)
    names = [renames.get(h, h) for h in header]
    place = {name: i for i, name in enumerate(names)}
    either = {**{h: i for i, h in enumerate(header)}, **place}
    assembled = form.time.columns if form.time else ()
    problems = [*_repeated(names), *_other_delimiter(header, form), *_absent_parts(assembled, either, header)]
    for field in fields:
        if field.required and field.name not in place and not (assembled and field.name == time):
            wish = "expects a column of this name in the file, or `rename` to give it one"
            problems.append(Problem(f"fields.{field.name}", "", wish, _near(field.name, header)))
    if problems:
        raise PlanError("the file's columns do not fit the plan", problems)
    found = {f.name: place[f.name] for f in fields if f.name in place}
    parts = tuple(either[c] for c in assembled)
    used = {*found.values(), *parts}
    return Layout(len(names), found, parts, tuple(h for i, h in enumerate(header) if i not in used))


def _repeated(names: Sequence[str]) -> list[Problem]:
    twice = [name for name, n in Counter(names).items() if n > 1]
    return [Problem("source.file.columns", f'"{name}"', "expects each column name once") for name in twice]


def _other_delimiter(header: Sequence[str], form: FileForm) -> list[Problem]:
    """One column whose name holds another usual delimiter: the reason why all the fields are missing."""
    found = [d for d in (";", "\t", ",", "|") if len(header) == 1 and d != form.delimiter and d in header[0]]
    wish = "expects the character between the columns; the first line holds none"
    return [Problem("source.file.delimiter", json.dumps(form.delimiter), wish, json.dumps(d)) for d in found[:1]]


def _absent_parts(columns: Sequence[str], known: dict[str, int], header: Sequence[str]) -> list[Problem]:
    wish = "expects columns that the file has"
    return [
        Problem("source.file.time.columns", f'"{name}"', wish, _near(name, header))
        for name in columns
        if name not in known
    ]


def _near(name: str, header: Sequence[str]) -> str:
    """The column that was probably meant, quoted, or nothing."""
    plain = {_plain(h): h for h in reversed(header)}
    close = get_close_matches(_plain(name), list(plain), 1, 0.6)
    return json.dumps(plain[close[0]], ensure_ascii=False) if close else ""


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
