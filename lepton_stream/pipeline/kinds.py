"""Kinds of single values: texts, choices, numbers, durations, sizes, lists of names, calls."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Sequence
from typing import Any

from lepton_stream.pipeline.calls import ParsedCall, parse_call, parsed
from lepton_stream.pipeline.derived import ParsedExpression, parse_expression
from lepton_stream.pipeline.durations import DURATION_PATTERN, SIZE_PATTERN, parse_duration, parse_size
from lepton_stream.pipeline.findings import MisfitError
from lepton_stream.pipeline.near import nearest
from lepton_stream.pipeline.plan import Call, Default
from lepton_stream.pipeline.shapes import Kind


def text(pattern: str, wish: str) -> Kind:
    """Text that `pattern` (anchored, the same in Python and JSON Schema) matches."""
    matches = re.compile(pattern.removesuffix("$") + r"\Z").match  # "$" alone would let a last line end pass

    def read(value: Any) -> str:
        if not isinstance(value, str) or not matches(value) or not _is_utf8(value):
            raise MisfitError
        return value

    return Kind(f"expects {wish}", {"type": "string", "pattern": pattern}, read)


def choice(*words: str, later: Sequence[str] = (), instead: str = "") -> Kind:
    """One of `words`. Words of `later` versions are told apart from misspelt ones; `instead` adds what to do."""
    shown = " or ".join(f'"{w}"' for w in words)

    def read(value: Any) -> str:
        if isinstance(value, str) and value in words:
            return value
        if isinstance(value, str) and value in later:
            raise MisfitError(f"not in this version, which has {shown}")
        raise MisfitError(f"expects {shown}{instead}", nearest(value, words) if isinstance(value, str) else "")

    return Kind(f"expects {shown}", {"enum": list(words)}, read)


def integer(low: int, high: int) -> Kind:
    """An integer in [low, high]; true and false are none."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise MisfitError
        return value

    wish = f"expects an integer from {low} to {high}"
    return Kind(wish, {"type": "integer", "minimum": low, "maximum": high}, read)


def _read_share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise MisfitError
    return float(value)


def _read_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise MisfitError
    return value


def _read_number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**1023:
        raise MisfitError
    return value


def _read_scalar(value: Any) -> str | int | float | bool:
    if isinstance(value, str | bool):
        return value
    return _read_number(value)


BOOLEAN = Kind("expects true or false", {"type": "boolean"}, _read_boolean)
NUMBER = Kind("expects a finite number", {"type": "number"}, _read_number)
SHARE = Kind("expects a number from 0 to 1", {"type": "number", "minimum": 0, "maximum": 1}, _read_share)
SCALAR_SCHEMA = {"type": ["string", "number", "boolean"]}


def measured(parse: Callable[[str], int], pattern: str, wish: str, *, least: int = 0, step: int = 1) -> Kind:
    """A text that `parse` turns into at least `least` units, in whole steps of `step`."""

    def read(value: Any) -> int:
        if not isinstance(value, str):
            raise MisfitError
        if value == "auto":
            raise MisfitError('"auto" is not in this version; give a duration such as "10m"')
        try:
            amount = parse(value)
        except ValueError as e:
            raise MisfitError(str(e)) from None
        if amount < least:
            raise MisfitError(f"{wish}, above 0")
        if amount % step:
            raise MisfitError(f"{wish}, in whole milliseconds")
        return amount

    return Kind(wish, {"type": "string", "pattern": pattern}, read)


def duration(*, least: int = 0, step: int = 1) -> Kind:
    """A duration, read to microseconds; `step` 1000: whole milliseconds."""
    wish = 'expects a duration such as "10s" or "1h"'
    return measured(parse_duration, DURATION_PATTERN, wish, least=least, step=step)


def size(low: int, high: int) -> Kind:
    """A size such as "512KiB", or a bare number of bytes, in [low, high]."""
    of_text = measured(parse_size, SIZE_PATTERN, 'expects a size such as "512KiB" or "1MiB"')
    of_number = integer(low, high)

    def read(value: Any) -> Any:
        return of_number.read(of_text.read(value) if isinstance(value, str) else value)

    wish = f'expects a size such as "512KiB" or a number of bytes, from {low} to {high}'
    return Kind(wish, {"anyOf": [of_text.schema, of_number.schema]}, read)


def words(what: str, *, least: int = 0, blank: bool = False, alone: str = "") -> Kind:
    """A list of different texts, read to a tuple; a bare text is a list of one, or itself if it is `alone`."""

    def read(value: Any) -> tuple[str, ...] | str:
        if alone and value == alone:
            return alone
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list | tuple) or len(listed) < least:
            raise MisfitError
        if not all(isinstance(v, str) and (v or blank) and _is_utf8(v) for v in listed):
            raise MisfitError
        if len(set(listed)) < len(listed):
            raise MisfitError(f"expects {what}, each named once")
        return tuple(listed)

    item = {"type": "string"} if blank else {"type": "string", "minLength": 1}
    schema = {"anyOf": [item, {"type": "array", "items": item, "uniqueItems": True, "minItems": least}]}
    return Kind(f"expects {what}", schema, read)


def _read_zone(value: Any) -> str:
    if not isinstance(value, str):
        raise MisfitError
    try:
        zoneinfo.ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # OSError: the name of a directory of zones, such as "Asia"
        raise MisfitError("", nearest(value, zoneinfo.available_timezones())) from None
    return value


def _read_on_bad(value: Any) -> str | Default:
    if isinstance(value, Default) or (isinstance(value, str) and value in _ON_BAD):
        return value
    if isinstance(value, dict) and set(value) == {"default"}:
        return Default(_read_scalar(value["default"]))
    if isinstance(value, str):
        raise MisfitError("", nearest(value, _ON_BAD))
    return Default(_read_number(value))


def _read_values(value: Any) -> tuple[str | int | float | bool, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise MisfitError
    return tuple(_read_scalar(v) for v in value)


def _read_call(value: Any) -> ParsedCall:
    if isinstance(value, Call):
        return parsed(value)
    if not isinstance(value, str):
        raise MisfitError
    return parse_call(value)


def _is_utf8(value: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in value)


def _read_expression(value: Any) -> ParsedExpression:
    if not isinstance(value, str):
        raise MisfitError
    return parse_expression(value)


_ON_BAD = ("reject", "null", "clip")
_DEFAULT = {
    "type": "object",
    "properties": {"default": SCALAR_SCHEMA},
    "required": ["default"],
    "additionalProperties": False,
}
ZONE = Kind('expects the IANA name of a time zone, such as "Asia/Shanghai"', {"type": "string"}, _read_zone)
ON_BAD = Kind(
    'expects "reject", "null", "clip", a number or { default = VALUE }',
    {"anyOf": [{"enum": list(_ON_BAD)}, {"type": "number"}, _DEFAULT]},
    _read_on_bad,
)
VALUES = Kind("expects a list of values", {"type": "array", "minItems": 1, "items": SCALAR_SCHEMA}, _read_values)
CALL = Kind('expects a call such as "mean(field)"', {"type": "string"}, _read_call)
EXPRESSION = Kind('expects an expression such as "(bid + ask) / 2"', {"type": "string"}, _read_expression)
