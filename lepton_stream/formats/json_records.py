"""JSON records to columns: each record through one typed decoder, the good ones to columns together.

One record, one call: joined decoding is faster, but there two documents in one record, or one document in two, move
their neighbours. NUL characters in strings are legal. Of equal keys the last wins. Fields that the plan does not name
are checked for syntax and skipped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import compress
from operator import attrgetter
from typing import Annotated, Any

import msgspec
import numpy as np

from lepton_stream.chunk import Values
from lepton_stream.columns import Columns, Mask
from lepton_stream.compiled import switch
from lepton_stream.formats.decoder import Decoded, Reason, Reject
from lepton_stream.formats.depth import MAX_DEPTH, depth, suspects
from lepton_stream.formats.gate import sift
from lepton_stream.formats.json_scan import JsonScanner
from lepton_stream.formats.json_slow import Refused, second_look
from lepton_stream.formats.mending import INT_MAX, INT_MIN, column, may_be_missing
from lepton_stream.pipeline.plan import Field, Source

_TYPES: dict[str, Any] = {
    "str": str,
    "float": float,
    "int": Annotated[int, msgspec.Meta(ge=INT_MIN, le=INT_MAX)],
    "bool": bool,
}


class JsonDecoder:
    """Decodes JSON objects, one a record, into a column for each plan field, in the order of `fields`."""

    def __init__(self, source: Source, fields: Sequence[Field]) -> None:
        self._fields = tuple(fields)
        self._max_bytes = source.max_record_bytes
        self._listed = {f.name for f in self._fields}
        self._names = {f"f{i}": f for i, f in enumerate(self._fields)}  # a field's name need not be an identifier
        self._record: Callable[..., Any] = _struct(self._names)
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(self._record).decode
        self._scanner: JsonScanner | None = None

    def decode(self, values: Values) -> Decoded:
        """Columns of the good records, one reject for each of the others. Raises nothing for what the bytes hold."""
        functions = switch.current()
        if functions is None:
            return self._portable(values)
        if self._scanner is None:
            self._scanner = JsonScanner(functions, self._fields, self._max_bytes, self._portable)
        return self._scanner.decode(values)

    def _portable(self, values: Values) -> Decoded:
        passed, rejects = sift(values, self._max_bytes)
        rejects += _too_deep(values, passed)
        mended: Counter[str] = Counter()
        records, bad = self._records(values, passed, mended)
        rejects += bad
        rejects.sort(key=lambda r: r.row)
        rows = np.ones(len(values), np.bool_)
        rows[[r.row for r in rejects]] = False
        return Decoded(np.flatnonzero(rows), self._columns(records, mended), rejects, dict(+mended))

    def unlisted(self, value: bytes) -> set[str]:
        """Top-level names that no plan field has."""
        return msgspec.json.decode(value, type=dict[str, msgspec.Raw]).keys() - self._listed

    def _records(self, values: Values, passed: Mask, mended: Counter[str]) -> tuple[list[Any], list[Reject]]:
        """Decode the records that passed so far."""
        raw = values.to_list()
        rows: Sequence[int] = range(len(raw))
        if not passed.all():
            rows = np.flatnonzero(passed).tolist()
            raw = list(compress(raw, passed.tolist()))
        records: list[Any] = []
        rejects: list[Reject] = []
        decoding = map(self._decode, raw)  # type: ignore[arg-type]
        while len(records) + len(rejects) < len(raw):
            try:
                # One C loop up to the next bad record: extend keeps what came before it, and map goes on behind it.
                records.extend(decoding)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                at = len(records) + len(rejects)
                self._second_look(rows[at], raw[at] or b"", records, rejects, mended)
        return records, rejects

    def _second_look(
        self, row: int, record: bytes, records: list[Any], rejects: list[Reject], mended: Counter[str]
    ) -> None:
        try:
            values, rules = second_look(record, self._fields)
        except Refused as refused:
            rejects.append(Reject(row, refused.reason, refused.detail))
            return
        records.append(self._record(**dict(zip(self._names, values, strict=True))))
        mended.update(rules)

    def _columns(self, records: list[Any], mended: Counter[str]) -> Columns:
        return {f.name: column(f, list(map(attrgetter(n), records)), mended) for n, f in self._names.items()}


def _struct(names: dict[str, Field]) -> type[msgspec.Struct]:
    """A record type whose decoder takes exactly the records that need no mending."""
    members = [_member(name, field) for name, field in names.items()]
    # gc=False: scalars make no cycles, and the collector would walk a million records.
    return msgspec.defstruct("Record", members, gc=False, rename={n: f.name for n, f in names.items()}, kw_only=True)


def _member(name: str, field: Field) -> tuple[str, Any] | tuple[str, Any, Any]:
    """Required by msgspec even where null is legal would put missing keys on the slow path: hence the default."""
    kind = _TYPES[field.type]
    return (name, kind | None, None) if may_be_missing(field) else (name, kind)


def _too_deep(values: Values, passed: Mask) -> list[Reject]:
    """Rejects for records nested too deeply; clears them in `passed`."""
    data, start, length = values.spans()
    rejects = []
    for row in suspects(data, start, np.maximum(length, 0)).tolist():
        if passed[row] and depth(values[row] or b"") > MAX_DEPTH:
            passed[row] = False
            rejects.append(Reject(row, Reason.TOO_DEEP, f"expected at most {MAX_DEPTH} levels"))
    return rejects
