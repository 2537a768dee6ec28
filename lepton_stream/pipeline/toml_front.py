"""The TOML front end: text to plan, with the line and column of every problem."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path as FilePath
from typing import Any

from lepton_stream.errors import PlanError, Problem, UsageError
from lepton_stream.pipeline.check import check
from lepton_stream.pipeline.findings import Findings, Path
from lepton_stream.pipeline.locate import Places, locate
from lepton_stream.pipeline.plan import Plan

_POSITION = re.compile(r" \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)$")


def load(path: str | FilePath) -> Plan:
    """The plan of a TOML file. Raises UsageError if it cannot be read, PlanError with all problems if it is wrong."""
    try:
        data = FilePath(path).read_bytes()
    except OSError as e:
        raise UsageError(f"{path}: cannot be read: {e.strerror or e}; check the path and its permissions") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise PlanError(_title(str(path)), [_syntax(f"{path}:{line}:1", "expects UTF-8 text")]) from None
    return parse(text, str(path))


def parse(text: str, where: str) -> Plan:
    """The plan of a TOML text; `where` names it in messages. Raises PlanError and nothing else."""
    text = text.replace("\r\n", "\n")
    try:
        data: dict[str, Any] = tomllib.loads(text)
        places = locate(text)
    except RecursionError:
        raise PlanError(_title(where), [_syntax(f"{where}:1:1", "is nested too deeply")]) from None
    except (ValueError, OverflowError) as e:  # tomllib lets a few plain ones through: a number of 5,000 digits
        raise PlanError(_title(where), [_syntax_problem(text, where, str(e))]) from None
    try:
        return check(data, _title(where), Findings(where=lambda path, inside: _place(places, where, path, inside)))
    except PlanError as e:
        raise PlanError(e.title, sorted(e.problems, key=_position)) from None


def _title(where: str) -> str:
    return f"{where}: the pipeline is not usable"


def _place(places: Places, where: str, path: Path, inside: int | None) -> str:
    line, column = places.line_column(path) if inside is None else places.line_column_inside(path, inside)
    return f"{where}:{line}:{column}"


def _position(problem: Problem) -> tuple[int, int]:
    _, line, column = problem.where.rsplit(":", 2)
    return int(line), int(column)


def _syntax(where: str, wish: str) -> Problem:
    return Problem("the TOML", "", wish, where=where)


def _syntax_problem(text: str, where: str, message: str) -> Problem:
    """The message of tomllib with its position in front, as every other problem has it."""
    match = _POSITION.search(message)
    line, column = (int(match[1]), int(match[2])) if match and match[1] else _end(text.rstrip())
    wish = _POSITION.sub("", message)
    return _syntax(f"{where}:{line}:{column}", wish[:1].lower() + wish[1:])


def _end(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - text.rfind("\n")
