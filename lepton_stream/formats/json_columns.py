"""Columns to flat JSON objects, a column at a time.

orjson writes a whole column in one call; what stands between its values tells where they begin. So a row costs one
formatting, not a dictionary and a call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from lepton_stream.columns import compact

_PLAIN = {int, float, bool, type(None)}


def written(values: Sequence[Any]) -> list[bytes]:
    """Each value as JSON, as `orjson.dumps` writes it."""
    kinds = set(map(type, values))
    if kinds == {str} and b'\\"' not in (together := orjson.dumps(values)):  # no text has a quote of its own
        return [b'"%b"' % text for text in together[2:-2].split(b'","')]
    if values and kinds <= _PLAIN:
        return orjson.dumps(values)[1:-1].split(b",")
    return [compact(orjson.dumps(value)) for value in values]


def objects(columns: Mapping[str, Sequence[bytes]], end: bytes = b"") -> list[bytes]:
    """A flat object a row, of columns that are `written`; `end` stands behind each."""
    names = [orjson.dumps(name).replace(b"%", b"%%") for name in columns]
    return formatted(b"{" + b",".join(name + b":%b" for name in names) + b"}" + end, list(columns.values()))


def formatted(form: bytes, columns: Sequence[Sequence[bytes]]) -> list[bytes]:
    """The form with each row's values in it."""
    return [form % row for row in zip(*columns, strict=True)]
