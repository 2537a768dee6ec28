"""Columns to flat JSON objects, a column at a time.

orjson writes a whole column in one call; what stands between its values tells where they begin. So a row costs no
dictionary and no call. On the compiled path the values stay spans of these buffers until rows are put together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import orjson

from lepton_stream.columns import (
    PADDING,
    Index,
    Mask,
    Numbers,
    Octets,
    Told,
    compact,
    held_once,
    listed,
    take,
    text_from_bytes,
    text_from_strings,
)
from lepton_stream.compiled import switch

_PLAIN = {int, float, bool, type(None)}
_COMMA = ord(",")
_NULL = -1


class _Spans(NamedTuple):
    """The JSON of a column: spans of `data`, a length below 0 is null. `quoted`: quotes are to be put around them."""

    data: Octets
    start: Index
    length: Index
    quoted: bool


_Encoded: TypeAlias = bytes | list[bytes] | _Spans
"""The same in every row, the JSON of each row, or spans."""


class JsonColumns:
    """Columns of equal length, each encoded once; rows are put together from them as often as one likes."""

    def __init__(self, columns: Mapping[str, Told]) -> None:
        self._functions = switch.current()
        self._rows = max(map(len, columns.values()), default=0)
        self._encoded = {name: self._one(values) for name, values in columns.items()}

    def _one(self, values: Told) -> _Encoded:
        if not isinstance(values, list) and held_once(values):
            return written(take(values, np.zeros(1, np.int64)))[0]
        return written(values) if self._functions is None else _spans(self._functions, values)

    def objects(self) -> list[bytes]:
        """A flat object a row."""
        return self._apart(*_object(self._encoded))

    def arrays(self, names: Sequence[str]) -> list[bytes]:
        """An array of the named columns a row; a name may be there twice."""
        return self._apart([b"[" if at == 0 else b"," for at in range(len(names))] + [b"]" if names else b"[]"], names)

    def lines(self) -> bytes | memoryview:
        """A flat object a row, each with a newline behind it."""
        form, names = _object(self._encoded)
        form[-1] += b"\n"
        form, parts = self._parts(form, names)
        if self._functions is None:
            return b"".join(_formatted(form, parts, self._rows))
        out, ends = _woven(self._functions, form, parts, self._rows)
        return out[: int(ends[-1]) if len(ends) else 0].data

    def _parts(self, form: list[bytes], names: Sequence[str]) -> tuple[list[bytes], list[Any]]:
        """The form and what differs from row to row; what does not becomes part of the form."""
        fixed, parts = [form[0]], []
        for name, after in zip(names, form[1:], strict=True):
            encoded = self._encoded[name]
            if isinstance(encoded, bytes):
                fixed[-1] += encoded + after
            else:
                parts.append(encoded)
                fixed.append(after)
        return fixed, parts

    def _apart(self, form: list[bytes], names: Sequence[str]) -> list[bytes]:
        form, parts = self._parts(form, names)
        if self._functions is None:
            return _formatted(form, parts, self._rows)
        out, ends = _woven(self._functions, form, parts, self._rows)
        whole = out[: int(ends[-1]) if len(ends) else 0].tobytes()
        return [whole[a:b] for a, b in pairwise([0, *ends.tolist()])]


def written(values: Told) -> list[bytes]:
    """Each value as JSON, as `orjson.dumps` writes it."""
    values = listed(values)
    kinds = set(map(type, values))
    if kinds == {str} and b'\\"' not in (together := orjson.dumps(values)):  # no text has a quote of its own
        return [b'"%b"' % text for text in together[2:-2].split(b'","')]
    if values and kinds <= _PLAIN:
        return orjson.dumps(values)[1:-1].split(b",")
    return [compact(orjson.dumps(value)) for value in values]


def _object(names: Mapping[str, object]) -> tuple[list[bytes], list[str]]:
    """(what stands around the values of an object, their names)."""
    keys = [orjson.dumps(name) + b":" for name in names]
    form = [(b"{" if at == 0 else b",") + key for at, key in enumerate(keys)]
    return [*form, b"}" if keys else b"{}"], list(names)


def _formatted(form: Sequence[bytes], columns: Sequence[Sequence[bytes]], rows: int) -> list[bytes]:
    """The form with each row's values in it."""
    whole = b"%b".join(text.replace(b"%", b"%%") for text in form)
    return [whole % row for row in zip(*columns, strict=True)] if columns else [whole % ()] * rows


def _spans(functions: ModuleType, values: Told) -> _Spans:
    if isinstance(values, list):
        kinds = set(map(type, values))
        if values and kinds <= _PLAIN:
            return _between_commas(orjson.dumps(values), None)
        if not kinds <= {str, type(None)}:
            return _pieces(written(values))
        values = text_from_strings(values)
    if isinstance(values, Numbers):
        numbers = np.ascontiguousarray(values.values)
        return _between_commas(orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY), values.valid)
    start, length = np.ascontiguousarray(values.start), np.ascontiguousarray(values.length)
    if not functions.plain(values.data, start, length):
        return _pieces(written(values))
    return _Spans(values.data, start, _or_null(length, values.valid), quoted=True)


def _pieces(texts: list[bytes]) -> _Spans:
    text = text_from_bytes(texts)
    return _Spans(text.data, text.start, text.length, quoted=False)


def _between_commas(array: bytes, valid: Mask | None) -> _Spans:
    """The parts of a JSON array of numbers, booleans and nulls."""
    data = np.frombuffer(array + bytes(PADDING), np.uint8)
    commas = np.flatnonzero(data == _COMMA)
    start = np.concatenate([[1], commas + 1])[: None if len(array) > len(b"[]") else 0]
    end = np.append(commas, len(array) - 1)[: len(start)]
    return _Spans(data, start, _or_null(end - start, valid), quoted=False)


def _or_null(length: Index, valid: Mask | None) -> Index:
    return length if valid is None else np.where(valid, length, _NULL)


def _woven(functions: ModuleType, form: Sequence[bytes], columns: Sequence[_Spans], rows: int) -> tuple[Octets, Index]:
    """(the rows one after the other, where each ends)."""
    at, length = np.empty((len(columns), rows), np.int64), np.empty((len(columns), rows), np.int64)
    for number, column in enumerate(columns):
        np.add(column.start, column.data.ctypes.data, out=at[number])
        length[number] = column.length
    fixed = text_from_bytes(form)
    most = np.maximum(length + 2, len(b"null"))  # with quotes
    room = rows * int(fixed.length.sum()) + int(most.sum()) + PADDING
    out, ends = np.empty(room, np.uint8), np.empty(rows, np.int64)
    quoted = np.array([column.quoted for column in columns], np.bool_)
    functions.weave(at, length, quoted, fixed.start + fixed.data.ctypes.data, fixed.length, out, ends)
    return out, ends
