"""The order of results: by window, then group, texts by code point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Index, Text, Told, Words, listed, told_rows

_WORD, _WORDS = 8, 4
"""Bytes of a text that are sorted by at once, and how often; longer ones are compared one by one."""
_SHORT = 1 << 16  # numbers of 16 bits are sorted by their digits, others by comparing

_Key = NDArray[Any]


def order_of(window: Index, groups: Sequence[Told]) -> Index:
    """int64[n]: the rows by window number, then by their groups; equal ones stay as they are."""
    rows = np.arange(len(window))
    if any(isinstance(group, list) or group.valid is not None for group in groups):
        return _compared(rows, window, groups)
    keys, whole = _keys(window, groups)
    for key in reversed(keys):
        rows = rows[_sorted(key[rows])]
    if not whole:
        for begin, end in _runs(rows, keys):
            rows[begin:end] = _compared(rows[begin:end], window, groups)
    return rows


def _keys(window: Index, groups: Sequence[Told]) -> tuple[list[_Key], bool]:
    """(numbers to sort by, the first one first; whether they tell all rows apart that differ)."""
    keys: list[_Key] = [window]
    for group in groups:
        assert not isinstance(group, list)
        if not isinstance(group, Text):
            keys.append(group.values)
            continue
        longest = int(group.length.max(initial=0))
        keys += [_word(group, at) for at in range(min(-(-longest // _WORD), _WORDS))]
        if longest > _WORD * _WORDS:
            return keys, False
        keys.append(group.length)  # of two that differ in zero bytes at their end the shorter one comes first
    return keys, True


def _word(column: Text, number: int) -> Words:
    """uint64[n]: eight bytes of each text, smaller where they come before; zeros stand behind its end."""
    left = column.length - _WORD * number
    at = np.where(left > 0, column.start + _WORD * number, 0)
    eight = np.lib.stride_tricks.sliding_window_view(column.data, _WORD)[at]
    word = np.ascontiguousarray(eight).view(">u8")[:, 0].astype(np.uint64)
    beyond = np.uint64(8) * (_WORD - np.clip(left, 1, _WORD)).astype(np.uint64)
    return np.where(left > 0, word >> beyond << beyond, np.uint64(0))


def _sorted(key: _Key) -> Index:
    if key.dtype == np.int64 and len(key):
        low, high = int(key.min()), int(key.max())
        if high - low < _SHORT:
            key = (key - low).astype(np.uint16)
    return np.argsort(key, kind="stable")


def _runs(rows: Index, keys: Sequence[_Key]) -> list[list[int]]:
    """[begin, end) of all rows in that order that follow each other and that no key tells apart."""
    same = np.ones(max(len(rows) - 1, 0), np.bool_)
    for key in keys:
        ordered = key[rows]
        same &= ordered[1:] == ordered[:-1]
    edges = np.flatnonzero(np.diff(same.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    return [[begin, end + 1] for begin, end in edges.tolist()]


def _compared(rows: Index, window: Index, groups: Sequence[Told]) -> Index:
    """These rows as Python sorts them."""
    some = [listed(told_rows(group, rows)) for group in groups]
    keys = list(zip(window[rows].tolist(), *some, strict=True))
    return rows[np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)]
