"""Results and events as records: flat JSON under a key, encoded a column at a time.

The key of a result is window, start and group; that of an event is its group.

orjson writes a whole column in one call; what stands between its values tells where they begin. So a result costs one
formatting, not a dictionary and two calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from lepton_stream.columns import compact
from lepton_stream.models.events import Events
from lepton_stream.protocol.ports import Record
from lepton_stream.windows.results import Results

_PLAIN = {int, float, bool, type(None)}


def records_of(batches: Iterable[Results]) -> Iterable[Record]:
    """Key is canonical JSON of window, start and group, value is flat JSON, both as `orjson.dumps` writes them."""
    for batch in batches:
        identity = ("window", "window_start", *batch.group_by)
        yield from map(Record, *_keys_and_values(batch.listed(), identity))


def event_records(batches: Iterable[Events]) -> Iterable[Record]:
    """Key is canonical JSON of the group, an array; value is flat JSON."""
    for batch in batches:
        keys, values = _keys_and_values(batch.columns, batch.by)
        yield from (Record(key, value, event=True) for key, value in zip(keys, values, strict=True))


def _keys_and_values(listed: Mapping[str, list[Any]], identity: Sequence[str]) -> tuple[list[bytes], list[bytes]]:
    columns = {name: written(values) for name, values in listed.items()}
    names = [orjson.dumps(name).replace(b"%", b"%%") for name in columns]
    form = b"{" + b",".join(name + b":%b" for name in names) + b"}"
    values = _formatted(form, list(columns.values()))
    if not identity:
        return [b"[]"] * len(values), values
    return _formatted(b"[" + b",".join([b"%b"] * len(identity)) + b"]", [columns[n] for n in identity]), values


def _formatted(form: bytes, columns: Sequence[list[bytes]]) -> list[bytes]:
    return [form % row for row in zip(*columns, strict=True)]


def written(values: Sequence[Any]) -> list[bytes]:
    """Each value as JSON."""
    kinds = set(map(type, values))
    if kinds == {str} and b'\\"' not in (together := orjson.dumps(values)):  # no text has a quote of its own
        return [b'"%b"' % text for text in together[2:-2].split(b'","')]
    if values and kinds <= _PLAIN:
        return orjson.dumps(values)[1:-1].split(b",")
    return [compact(orjson.dumps(value)) for value in values]
