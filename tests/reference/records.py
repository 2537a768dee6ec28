"""One raw JSON record in, its fields or the reason of its dead letter out. Standard library only.

Verdicts in this order: null_value, too_large, decode_error (UTF-8), too_deep, decode_error (JSON), not_an_object; then
the type of each field by name (missing_field, wrong_type, int_out_of_range); then their rules by name (below_min,
above_max, not_one_of); then the event time.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from decimal import Decimal

from tests.reference.rules import SECOND, FieldRule, Rules

EARLIEST, LATEST = -(2**63), 2**63 - 1  # microseconds that an int64 can hold


class Rejected(Exception):  # noqa: N818 - a verdict, not an error
    """Carries the reason, as a word of the product's closed set."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Record:
    """What was read: event time in microseconds and the typed values, None where an optional field is absent."""

    time_us: int
    values: dict[str, object]


def read(raw: bytes | None, rules: Rules) -> Record:
    """Judge one record on its own. Raises Rejected."""
    if raw is None:
        raise Rejected("null_value")
    if len(raw) > rules.max_record_bytes:
        raise Rejected("too_large")
    document = parse(raw, rules.max_depth)
    if not isinstance(document, dict):
        raise Rejected("not_an_object")
    values = {name: document.get(name) for name in sorted(rules.fields)}
    for name, value in values.items():
        check_type(value, rules.fields[name])
    for name, value in values.items():
        check_rules(value, rules.fields[name])
    time_us = event_time(document[rules.time], rules)
    return Record(time_us, {name: plain(value, rules.fields[name]) for name, value in values.items()})


def parse(raw: bytes, max_depth: int) -> object:
    """The one JSON document in `raw`; decimals stay exact. Raises Rejected."""
    try:
        text = raw.decode("utf-8")
        # the standard parser would recurse to its limit: what is too deep is not looked into
        if raw.count(b"{") + raw.count(b"[") > max_depth and depth(raw) > max_depth:
            raise Rejected("too_deep")
        return json.loads(text, parse_float=finite, parse_constant=no_constant)
    except ValueError:
        raise Rejected("decode_error") from None


def finite(text: str) -> Decimal:
    """The exact value of a number that a float can hold."""
    if math.isinf(float(text)):
        raise ValueError(text)
    return Decimal(text)


def no_constant(word: str) -> object:
    """NaN and Infinity are words that Python reads and JSON does not have."""
    raise ValueError(word)


def depth(raw: bytes) -> int:
    """Deepest nesting of brackets outside strings."""
    level = deepest = 0
    inside = escaped = False
    for byte in raw:
        if inside:
            inside = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            inside = True
        elif byte in b"{[":
            level += 1
            deepest = max(deepest, level)
        elif byte in b"}]":
            level -= 1
    return deepest


def check_type(value: object, rule: FieldRule) -> None:
    """Raise Rejected unless the value is of the field's type; whole numbers are floats too, booleans are no numbers."""
    if value is None:
        if rule.required:
            raise Rejected("missing_field")
        return
    kinds: dict[str, tuple[type, ...]] = {"str": (str,), "bool": (bool,), "int": (int,), "float": (int, Decimal)}
    if not isinstance(value, kinds[rule.type]) or (rule.type != "bool" and isinstance(value, bool)):
        raise Rejected("wrong_type")
    if rule.type == "int" and isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise Rejected("int_out_of_range")


def check_rules(value: object, rule: FieldRule) -> None:
    """Raise Rejected unless a value that is there lies within its bounds."""
    if value is None:
        return
    if rule.min is not None and value < rule.min:  # type: ignore[operator]
        raise Rejected("below_min")
    if rule.max is not None and value > rule.max:  # type: ignore[operator]
        raise Rejected("above_max")
    if rule.one_of is not None and value not in rule.one_of:
        raise Rejected("not_one_of")


def event_time(value: object, rules: Rules) -> int:
    """Microseconds since 1970, rounded to the nearest. Raises Rejected."""
    exact = Decimal(str(value)) * SECOND / rules.ticks_per_second
    if not EARLIEST <= exact <= LATEST:
        raise Rejected("timestamp_invalid")
    time_us = round(exact)
    if time_us > rules.now_us + rules.max_ahead_us:
        raise Rejected("timestamp_future")
    return time_us


def plain(value: object, rule: FieldRule) -> object:
    """The numbers of a float field as the nearest float."""
    return float(value) if rule.type == "float" and isinstance(value, int | Decimal) else value
