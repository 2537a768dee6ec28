"""Texts: spans of UTF-8 bytes, compared, measured and put together all rows at once.

Costs are those of the bytes, a few nanoseconds each. Only `lower` and `upper` of texts that are not ASCII go value by
value, each different one once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lepton_stream.columns import (
    PADDING,
    Index,
    Mask,
    Numbers,
    Octets,
    Text,
    pack,
    take,
    text_from_bytes,
    text_is_one_of,
    text_to_bytes,
)
from lepton_stream.expression.made import numbers, valid_in_all

_CONTINUES, _KIND = 0x80, 0xC0  # the first two bits of a byte that is not the first of its character
_ASCII_END = 0x80


def among(column: Text, words: Sequence[bytes]) -> Numbers:
    """Where the text is one of the words."""
    return numbers(text_is_one_of(column, words), column.valid)


def equal(left: Text, right: Text) -> Numbers:
    """Where both texts have the same bytes."""
    same = left.length == right.length
    rows = np.flatnonzero(same)
    a, b = (_packed(column, rows) for column in (left, right))
    differs = np.concatenate([[0], np.cumsum(a.data[:-PADDING] != b.data[:-PADDING])])
    same[rows] = differs[a.start + a.length] == differs[a.start]
    return numbers(same, valid_in_all([left, right]))


def _packed(column: Text, rows: Index | slice = slice(None)) -> Text:
    taken = take(column, rows)
    assert isinstance(taken, Text)
    return pack(taken)


def _length(args: list[Text]) -> Numbers:
    packed = _packed(args[0])
    begins = (packed.data[:-PADDING] & _KIND) != _CONTINUES
    before = np.concatenate([[0], np.cumsum(begins)])
    return numbers(before[packed.start + packed.length] - before[packed.start], args[0].valid)


def _concat(args: list[Text]) -> Text:
    valid = valid_in_all(args)
    parts = [arg.length if valid is None else np.where(valid, arg.length, 0) for arg in args]
    length: Index = np.sum(parts, axis=0, dtype=np.int64)
    start = np.cumsum(length) - length
    data = np.zeros(int(length.sum()) + PADDING, np.uint8)
    at = start.copy()
    for arg, size in zip(args, parts, strict=True):
        inside = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
        data[np.repeat(at, size) + inside] = arg.data[np.repeat(arg.start, size) + inside]
        at += size
    return Text(data, start, length, valid)


def _cased(lower: bool, args: list[Text]) -> Text:
    packed = _packed(args[0])
    first, last = b"AZ" if lower else b"az"
    data = packed.data.copy()
    data[(data >= first) & (data <= last)] ^= 0x20
    foreign = _holds_foreign(packed)
    if not foreign.any():
        return Text(data, packed.start, packed.length, packed.valid)
    rows = np.flatnonzero(foreign)
    words = text_to_bytes(_packed(packed, rows))
    made = {w: (w.decode().lower() if lower else w.decode().upper()).encode() for w in set(words)}
    other = text_from_bytes([made[w] for w in words])
    start, length = packed.start.copy(), packed.length.copy()
    start[rows], length[rows] = other.start + len(data), other.length
    return Text(np.concatenate([data, other.data]), start, length, packed.valid)


def _holds_foreign(packed: Text) -> Mask:
    """Which texts have a byte beyond ASCII."""
    beyond = packed.data[:-PADDING] >= _ASCII_END
    if not beyond.any():
        return np.zeros(len(packed), np.bool_)
    before = np.concatenate([[0], np.cumsum(beyond)])
    found: Mask = before[packed.start + packed.length] > before[packed.start]
    return found


def _begins(column: Text, word: bytes) -> Numbers:
    return numbers(_has(column, word, column.start), column.valid)


def _ends(column: Text, word: bytes) -> Numbers:
    return numbers(_has(column, word, column.start + column.length - len(word)), column.valid)


def _has(column: Text, word: bytes, at: Index) -> Mask:
    """Which texts are long enough and have the word at this position."""
    found: Mask = column.length >= len(word)
    rows = np.flatnonzero(found)
    same = column.data[at[rows, None] + np.arange(len(word))] == np.frombuffer(word, np.uint8)
    found[rows] = same.all(axis=1)
    return found


def _contains(column: Text, word: bytes) -> Numbers:
    packed = _packed(column)
    found: Mask = packed.length >= len(word)
    if word:
        at = _occurrences(packed.data[:-PADDING], word)
        ends = packed.start + packed.length  # ascending, and texts follow each other: the first that ends behind `at`
        row = np.searchsorted(ends, at, "right")
        inside = at + len(word) <= ends[row]
        found = np.zeros(len(packed), np.bool_)
        found[row[inside]] = True
    return numbers(found, column.valid)


def _occurrences(data: Octets, word: bytes) -> Index:
    """Where the word begins in the buffer, also across texts."""
    at = np.flatnonzero(data[: max(0, len(data) - len(word) + 1)] == word[0])
    for i, byte in enumerate(word[1:], 1):
        at = at[data[at + i] == byte]
    return at


STEPS: dict[str, Callable[[list[Text]], Numbers | Text]] = {
    "length": _length,
    "lower": lambda args: _cased(True, args),
    "upper": lambda args: _cased(False, args),
    "concat": _concat,
}
WITH_WORD: dict[str, Callable[[Text, bytes], Numbers]] = {
    "starts_with": _begins,
    "ends_with": _ends,
    "contains": _contains,
}
