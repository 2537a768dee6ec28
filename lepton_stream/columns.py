"""Columns: the one shape in which values travel through every hot path.

A column is `Numbers` (float64, int64 or bool) or `Text` (UTF-8 bytes, one span a row in a shared buffer). A row may be
missing: then its bit in `valid` is False; `valid is None` says that no row is missing. What a missing row holds in
`values` is 0, and its span in a `Text` has length 0, so that equal columns have equal bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.bool_]
Index: TypeAlias = NDArray[np.int64]
Words: TypeAlias = NDArray[np.uint64]
Octets: TypeAlias = NDArray[np.uint8]

PADDING = 8
"""Bytes that follow the last span of every text buffer, so that eight bytes can be loaded from any position in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """`values`: float64[n], int64[n] or bool[n]. Floats are finite."""

    values: NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_]
    valid: Mask | None = None

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """`data`: uint8 with `PADDING` bytes behind the last span; row i is `data[start[i] : start[i] + length[i]]`."""

    data: Octets
    start: Index
    length: Index
    valid: Mask | None = None

    def __len__(self) -> int:
        return len(self.start)


Column: TypeAlias = Numbers | Text
Columns: TypeAlias = dict[str, Column]


def text_from_bytes(values: Sequence[bytes | None]) -> Text:
    """Text column of UTF-8 byte strings; None is a missing row. The bytes are not checked."""
    missing = None in values
    present: Sequence[bytes] = [v or b"" for v in values] if missing else values  # type: ignore[assignment]
    length = np.fromiter(map(len, present), np.int64, len(values))
    data = np.frombuffer(b"".join([*present, bytes(PADDING)]), np.uint8)
    valid = np.fromiter((v is not None for v in values), np.bool_, len(values)) if missing else None
    return Text(data, np.cumsum(length) - length, length, valid)


def text_from_strings(values: Sequence[str | None]) -> Text:
    """Text column of Python strings; None is a missing row. Raises UnicodeEncodeError for lone surrogates."""
    if None in values:
        return text_from_bytes([None if v is None else v.encode() for v in values])
    joined = "".join(values)  # type: ignore[arg-type]
    data = joined.encode()
    if len(data) != len(joined):  # some character takes more than one byte: lengths must be counted in bytes
        return text_from_bytes([v.encode() for v in values])  # type: ignore[union-attr]
    length = np.fromiter(map(len, values), np.int64, len(values))  # type: ignore[arg-type]
    return Text(np.frombuffer(data + bytes(PADDING), np.uint8), np.cumsum(length) - length, length)


def is_valid(column: Column) -> Mask:
    """bool[n]: which rows hold a value."""
    return np.ones(len(column), np.bool_) if column.valid is None else column.valid


def take(column: Column, rows: Index | Mask | slice) -> Column:
    """The rows named by an index, a mask or a slice, in that order. Text shares the buffer."""
    valid = None if column.valid is None else column.valid[rows]
    if isinstance(column, Text):
        return Text(column.data, column.start[rows], column.length[rows], valid)
    return Numbers(column.values[rows], valid)


def take_all(columns: Columns, rows: Index | Mask | slice) -> Columns:
    """`take` on each column."""
    return {name: take(column, rows) for name, column in columns.items()}


def pack(column: Text) -> Text:
    """The same text with spans that follow each other in a buffer of their own."""
    total = int(column.length.sum())
    start = np.cumsum(column.length) - column.length
    data = np.zeros(total + PADDING, np.uint8)
    width = int(column.length[0]) if total else 0
    if len(column) == 1:
        data[:total] = column.data[int(column.start[0]) : int(column.start[0]) + total]
    elif width and bool((column.length == width).all()):  # as ids are: whole spans are copied, not one byte at a time
        data[:total] = np.lib.stride_tricks.sliding_window_view(column.data, width)[column.start].ravel()
    else:
        position = np.repeat(column.start - start, column.length) + np.arange(total)
        data[:total] = column.data[position]
    return Text(data, start, column.length, column.valid)


def lean(column: Text) -> Text:
    """The same text, which keeps no more bytes alive than it has: packed where its buffer holds more than its rows."""
    return column if len(column.data) - PADDING <= int(column.length.sum()) else pack(column)


def concat(columns: Sequence[Column]) -> Column:
    """One column after the other; all of one kind. Raises ValueError for none, TypeError for mixed kinds."""
    if not columns:
        raise ValueError("concat needs at least one column")
    if len(columns) == 1:
        return columns[0]
    valid = None if all(c.valid is None for c in columns) else np.concatenate([is_valid(c) for c in columns])
    if all(isinstance(c, Numbers) for c in columns):
        if len({c.values.dtype for c in columns if isinstance(c, Numbers)}) > 1:
            raise TypeError("concat got numbers of several types")  # NumPy would round int64 to float64 without a word
        return Numbers(np.concatenate([c.values for c in columns if isinstance(c, Numbers)]), valid)
    texts = [lean(c) for c in columns if isinstance(c, Text)]
    if len(texts) != len(columns):
        raise TypeError("concat got numbers and text")
    shift = np.cumsum([0, *(len(t.data) for t in texts[:-1])])
    start = np.concatenate([t.start + s for t, s in zip(texts, shift, strict=True)])
    return Text(np.concatenate([t.data for t in texts]), start, np.concatenate([t.length for t in texts]), valid)


def text_is_one_of(column: Text, words: Sequence[bytes]) -> Mask:
    """bool[n]: which rows hold one of the words; missing ones hold the empty word.

    Words of equal length are compared as fixed-width byte strings, all rows of that length at once.
    """
    found = np.zeros(len(column), np.bool_)
    for length in sorted({len(word) for word in words}):
        rows = np.flatnonzero(column.length == length)
        if not length:
            found[rows] = True
        elif len(rows):
            bytes_ = column.data[column.start[rows, None] + np.arange(length)]
            held: NDArray[np.bytes_] = np.ascontiguousarray(bytes_).view(f"S{length}")[:, 0]
            found[rows] = np.isin(held, np.array([word for word in words if len(word) == length], f"S{length}"))
    return found


def weight(column: Column) -> int:
    """Bytes of memory."""
    valid = 0 if column.valid is None else column.valid.nbytes
    if isinstance(column, Text):
        return column.data.nbytes + column.start.nbytes + column.length.nbytes + valid
    return column.values.nbytes + valid


def compact(data: bytes) -> bytes:
    """The same bytes in a buffer of their own length: what `orjson.dumps` gives takes 4 KiB as long as it lives."""
    return bytes(memoryview(data))


def text_to_bytes(column: Text) -> list[bytes]:
    """One byte string a row (missing rows: empty)."""
    data = column.data.tobytes()
    return [data[a : a + n] for a, n in zip(column.start.tolist(), column.length.tolist(), strict=True)]


def to_list(column: Column) -> list[str | int | float | bool | None]:
    """Python values, None where missing. For results and tests, not for hot paths."""
    values: list[str | int | float | bool | None]
    values = [b.decode() for b in text_to_bytes(column)] if isinstance(column, Text) else column.values.tolist()
    if column.valid is None:
        return values
    return [v if ok else None for v, ok in zip(values, column.valid.tolist(), strict=True)]
