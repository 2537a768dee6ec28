"""Results and events as records: flat JSON under a key, encoded a column at a time.

The key of a result is window, start and group; that of an event is its group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lepton_stream.columns import Told
from lepton_stream.formats.json_columns import JsonColumns
from lepton_stream.models.events import Events
from lepton_stream.protocol.ports import Record
from lepton_stream.windows.results import Results


def records_of(batches: Iterable[Results]) -> Iterable[Record]:
    """Key is canonical JSON of window, start and group, value is flat JSON, both as `orjson.dumps` writes them."""
    for batch in batches:
        identity = ("window", "window_start", *batch.group_by)
        yield from map(Record, *_keys_and_values(batch.told(), identity))


def event_records(batches: Iterable[Events]) -> Iterable[Record]:
    """Key is canonical JSON of the group, an array; value is flat JSON."""
    for batch in batches:
        keys, values = _keys_and_values(batch.columns, batch.by)
        yield from (Record(key, value, event=True) for key, value in zip(keys, values, strict=True))


def _keys_and_values(told: Mapping[str, Told], identity: Sequence[str]) -> tuple[list[bytes], list[bytes]]:
    columns = JsonColumns(told)
    return columns.arrays(identity), columns.objects()
