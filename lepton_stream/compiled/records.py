"""Plain record batches (magic 2) cut into spans (https://kafka.apache.org/documentation/#record).

Every number is held against the bounds of what holds it. A batch with anything wrong or odd in it is not cut at all:
the portable reader then says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from lepton_stream.columns import Index, Octets
from lepton_stream.compiled.jit import inlined, jit, jit_for
from lepton_stream.compiled.signatures import BOOL, INT
from lepton_stream.compiled.utf8 import is_text
from lepton_stream.compiled.words import byte, put

_SMALLEST = 7
"""Bytes of a record without key and value."""
_COLUMNS = 8
_OFFSET, _TIME, _KEY, _VALUE, _HEADERS = 0, 1, 2, 4, 6


class Body(NamedTuple):
    """Where a batch's records lie in the buffer, and what its header says of them.

    `base`: the first offset. `dense`: records have offsets without holes. `first_ms`: what record timestamps are added
    to; `append_ms`: the broker's time for all of them, if `appended`.
    """

    begin: int
    end: int
    records: int
    base: int
    dense: bool
    first_ms: int
    append_ms: int
    appended: bool


class Records(NamedTuple):
    """All int64[n]: spans of keys, values (length -1: none) and headers (with their count; length 0: no headers)."""

    offset: Index
    time_ms: Index
    key: Index
    key_length: Index
    value: Index
    value_length: Index
    headers: Index
    headers_length: Index


def split_records(data: Octets, bodies: Sequence[Body]) -> Records | None:
    """Records of all batches in one buffer with `PADDING` behind the last; None if any of them is not plainly right."""
    if any(body.records < 0 or body.records * _SMALLEST > body.end - body.begin for body in bodies):
        return None
    table = np.array(bodies, np.int64).reshape(len(bodies), len(Body._fields))
    columns = np.empty((_COLUMNS, int(table[:, 2].sum())), np.int64)
    return Records(*columns) if _split(data.ctypes.data, table, columns.ctypes.data, columns.shape[1]) else None


@inlined
def _varint(at: int, end: int) -> tuple[int, int]:
    """(behind it, a zigzag number of at most 63 bits); -1 if it passes the end, and for -1.

    Nearly all have one byte or two, and no loop is as fast as none.
    """
    if at < 0 or at >= end:
        return -1, 0
    bits = byte(at)
    if bits < 0x80:
        return at + 1, (bits >> 1) ^ -(bits & 1)
    if at + 1 < end:
        more = byte(at + 1)
        if more < 0x80:
            value = bits & 0x7F | more << 7
            return at + 2, (value >> 1) ^ -(value & 1)
    return _long_varint(at, end)


@jit
def _long_varint(at: int, end: int) -> tuple[int, int]:
    """The same of any length."""
    value, shift = 0, 0
    while 0 <= at < end and shift < 63:
        bits = byte(at)
        value |= (bits & 0x7F) << shift
        at += 1
        if bits < 0x80:
            return at, (value >> 1) ^ -(value & 1)
        shift += 7
    return -1, 0


@inlined
def _span(at: int, end: int, base: int, row: int, place: int, next_column: int) -> int:
    """Behind bytes that follow their own length, which is put into the row with where they begin."""
    at, n = _varint(at, end)
    n = max(n, -1)
    if at < 0 or n > end - at:
        return -1
    put(row, place, at - base)
    put(row, place + next_column, n)
    return at + max(n, 0)


@jit
def _after_headers(at: int, end: int, count: int) -> int:
    """Behind all headers of a record; -1 if one of them is broken."""
    while count > 0 and at >= 0:
        at, n = _varint(at, end)
        if at < 0 or n < 0 or n > end - at or not is_text(at, at + n):
            return -1
        at, n = _varint(at + n, end)
        if n > end - at:
            return -1
        at += max(n, 0)
        count -= 1
    return at if count == 0 else -1


@inlined
def _record(at: int, end: int, base: int, row: int, n: int) -> tuple[int, int, int]:
    """(behind the record, its offset and its milliseconds after the first), -1 if it is broken; spans go to the row."""
    at, size = _varint(at, end)
    if at < 0 or size < 1 or size > end - at or byte(at) != 0:  # no attribute bits are in use
        return -1, 0, 0
    end = at + size
    at, ms = _varint(at + 1, end)
    at, delta = _varint(at, end)
    at = _span(at, end, base, row, _KEY * n, n)
    at = _span(at, end, base, row, _VALUE * n, n)
    first = at
    at, headers = _varint(at, end)
    put(row, _HEADERS * n, first - base)
    put(row, (_HEADERS + 1) * n, end - first if headers else 0)
    if headers:
        at = _after_headers(at, end, headers)
    return at if at == end else -1, delta, ms


@jit_for(BOOL(INT, types.Array(types.int64, 2, "C"), INT, INT))
def _split(base: int, bodies: NDArray[np.int64], row: int, n: int) -> bool:
    for i in range(len(bodies)):
        at, end = base + bodies[i, 0], base + bodies[i, 1]
        for number in range(bodies[i, 2]):
            at, delta, ms = _record(at, end, base, row, n)
            if at < 0:
                return False
            put(row, _OFFSET, bodies[i, 3] + (number if bodies[i, 4] else delta))
            put(row, _TIME * n, bodies[i, 6] if bodies[i, 7] else bodies[i, 5] + ms)
            row += 8
        if at != end:
            return False
    return True
