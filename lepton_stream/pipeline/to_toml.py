"""A plan as the TOML that makes it: `parse(to_toml(plan), "") == plan`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.to_dict import to_dict

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(plan: Plan) -> str:
    """Text with every default written out."""
    return "\n".join(_lines(to_dict(plan))) + "\n"


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    """Plain keys first: in TOML what follows a header belongs to it."""
    yield from (f"{_key(k)} = {_value(v)}" for k, v in data.items() if not _is_section(v))
    for name, value in data.items():
        if _is_section(value):
            header = f"[{_key(name)}]" if isinstance(value, Mapping) else f"[[{_key(name)}]]"
            for section in [value] if isinstance(value, Mapping) else value:
                yield from ("", header, *(f"{_key(k)} = {_value(v)}" for k, v in section.items()))


def _is_section(value: object) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(v, Mapping) for v in value))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return orjson.dumps(value).decode().replace("\x7f", "\\u007f")  # JSON's scalars are TOML's, but for this character
