"""Records of a file in the form they have in the source topic: key and value, as a producer would write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from lepton_stream.chunk import Values
from lepton_stream.columns import Columns, Numbers, compact, is_valid, text_to_bytes, to_list
from lepton_stream.formats.decoder import Decoder
from lepton_stream.pipeline.plan import Field, Plan
from lepton_stream.runtime.inputs import Input
from lepton_stream.shuffle.routing import canonical_key

_JSON_INT = re.compile(rb"-?(?:0|[1-9][0-9]*)")


class TopicForm:
    """Makes keys and values of the records of inputs that have one form."""

    def __init__(self, plan: Plan, given: Input) -> None:
        source = plan.source
        self._key = source.key
        # The same fields, read in the same way, that decide the partition: a record has a key if it was routed by it.
        fields = [Field(name, plan.field_named(name).type) for name in dict.fromkeys((*source.key, source.time))]
        self._keys = given.decoder(fields)
        self._rows = _Rows(plan, given) if source.file.format == "csv" else None

    def keys(self, values: Sequence[bytes | None]) -> list[bytes | None]:
        """Canonical key bytes, None where the record's key cannot be read or the plan names none."""
        keys: list[bytes | None] = [None] * len(values)
        if self._key:
            decoded = self._keys.decode(Values.from_list(values))
            made = text_to_bytes(canonical_key([decoded.columns[name] for name in self._key]))
            if len(made) == len(keys):
                return list(made)
            for row, key in zip(decoded.rows.tolist(), made, strict=True):
                keys[row] = key
        return keys

    def values(self, values: list[bytes | None]) -> list[bytes | None]:
        """JSON lines byte for byte; CSV rows as JSON objects."""
        return values if self._rows is None else self._rows.objects(values)


class _Rows:
    """CSV rows to JSON objects of the plan's fields.

    Rules are the pipeline's business: a cell of the wrong type travels as its text, so that it gets the verdict there
    that it would get here. A row that cannot be split, or has no point in time, goes as it is.
    """

    def __init__(self, plan: Plan, given: Input) -> None:
        open_fields = [replace(f, required=False, on_bad="null", min=None, max=None, one_of=None) for f in plan.fields]
        made_up = plan.source.time if plan.source.file.time else None
        self._types = {f.name: f.type for f in plan.fields}
        self._typed: Decoder = given.decoder(open_fields)
        self._text: Decoder = given.decoder([replace(f, type="str") for f in open_fields if f.name != made_up])

    def objects(self, values: list[bytes | None]) -> list[bytes | None]:
        """One JSON object a row that can be split."""
        decoded = self._typed.decode(Values.from_list(values))
        columns = {name: list[Any](to_list(column)) for name, column in decoded.columns.items()}
        if decoded.mended:
            self._put_texts(decoded.columns, columns, [values[row] for row in decoded.rows.tolist()])
        names = list(columns)
        out = list(values)
        rows = (dict(zip(names, cells, strict=True)) for cells in zip(*columns.values(), strict=True))
        lines = (compact(orjson.dumps(row)) for row in rows)
        for row, line in zip(decoded.rows.tolist(), lines, strict=True):
            out[row] = line
        return out

    def _put_texts(self, typed: Columns, columns: dict[str, list[Any]], values: list[bytes | None]) -> None:
        """Cells that are of the wrong type, as text: those that have a text, but no value."""
        decoded = self._text.decode(Values.from_list(values))
        for name, column in decoded.columns.items():
            if isinstance(typed[name], Numbers):
                texts, valid = to_list(column), is_valid(typed[name])
                for row in (is_valid(column) & ~valid).nonzero()[0].tolist():
                    columns[name][row] = self._as_json(name, str(texts[row]))

    def _as_json(self, name: str, text: str) -> Any:
        """The text; of an integer beyond 64 bits its digits, so that it is told as out of range and not as text."""
        data = text.encode()
        return orjson.Fragment(data) if self._types[name] == "int" and _JSON_INT.fullmatch(data) else text
