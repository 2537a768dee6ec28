"""Collecting what is wrong with a plan: paths to keys, values as people write them, problems."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lepton_stream.errors import Problem
from lepton_stream.pipeline.plan import Call, Scalar
from lepton_stream.pipeline.pointing import pointed

Path: TypeAlias = tuple[str | int, ...]
"""The way to a value: ("window", 0, "results", "mean")."""

Span: TypeAlias = tuple[int, int]
"""The characters [at, end) of a text."""

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_LONGEST = 80


class MisfitError(ValueError):
    """A value that does not fit. `wish` is empty where the wish of its kind says it all; `span`: which part."""

    def __init__(self, wish: str = "", hint: str = "", span: Span | None = None) -> None:
        super().__init__(wish)
        self.wish, self.hint, self.span = wish, hint, span


class Missing:
    """Marks a value that is not there."""


MISSING = Missing()


def toml_name(path: Path) -> str:
    """A path as TOML people say it: `window[0].results.mean`, `source.file.rename."PM2.5"`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            bare = step if _BARE.fullmatch(step) else _quoted(step)
            text += f".{bare}" if text else bare
    return text or "the pipeline"


def show_value(value: Any) -> str:
    """A value as TOML would write it, cut where it is long."""
    if isinstance(value, Missing):
        return "missing"
    text = _plain(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _plain(value: Any, depth: int = 0) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 128:  # Python refuses to print a very long integer
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, dict | list | tuple) and depth > 2:
        return "..."
    if isinstance(value, dict):
        inside = (f"{toml_name((str(k),))} = {_plain(v, depth + 1)}" for k, v in list(value.items())[:8])
        return "{ " + ", ".join(inside) + " }" if value else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_plain(v, depth + 1) for v in value[:_LONGEST])}]"
    return str(value) if isinstance(value, int | float | Call) else repr(value)


def _quoted(text: str) -> str:
    shown = json.dumps(text[: _LONGEST * 2], ensure_ascii=False)
    return shown.encode("utf-8", "backslashreplace").decode()


def _nowhere(_path: Path, _inside: int | None) -> str:
    return ""


@dataclass(slots=True)
class Findings:
    """Problems in the order they are found. `name` and `where` turn a path into the front end's own words.

    `where` is also told how many characters into the value at the path the problem is; None: the key itself.
    """

    name: Callable[[Path], str] = toml_name
    where: Callable[[Path, int | None], str] = _nowhere
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: Path, value: Any, wish: str, hint: str = "", span: Span | None = None) -> None:
        """One more problem: the value at `path`, or the part `span` of it, is not what is wished for."""
        if span is None:
            self.problems.append(Problem(self.name(path), show_value(value), wish, hint, self.where(path, None)))
            return
        where, shown = self.where(path, span[0]), pointed(str(value), span)
        self.problems.append(Problem(self.name(path), "", wish, hint, where, shown))


def fits(kind: str, value: Any) -> Scalar:
    """`value` as a value of field type `kind`; an int will do for a float. Raises MisfitError."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "float" and number and abs(value) < 2**1023:
        return float(value)
    if kind == "int" and number and isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if kind == "str" and isinstance(value, str):
        return value
    if kind == "bool" and isinstance(value, bool):
        return value
    wishes = {"float": "a finite number", "int": "an integer of 64 bits", "str": "text", "bool": "true or false"}
    raise MisfitError(f"expects {wishes[kind]}, since the field is of type {kind}")
