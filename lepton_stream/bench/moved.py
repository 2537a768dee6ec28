"""A workload over and over, each copy later than the one before and with ids of its own: a stream of any length."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from lepton_stream.bench.shape import Shape
from lepton_stream.columns import Index, Octets

MOST_COPIES = 256
_ID, _TIME = re.compile(rb'"event_id": "'), re.compile(rb'"ts": ')
_SECONDS = 10
"""Digits of a time before its point, from 2001 to 2286."""
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


class Moved:
    """Copies of the events in `data`, JSON lines as `Workload` draws them, an event a millisecond.

    Copy k is k times the events' span later, and its ids begin with k: what repeats within a copy repeats in each, and
    nothing repeats across copies. So what is true of one is true of each.
    """

    def __init__(self, data: bytes, shape: Shape) -> None:
        self._data = np.frombuffer(bytearray(data), np.uint8)
        self._span_s = shape.records // 1000
        self._id, self._time = _ends(_ID, data), _ends(_TIME, data)
        if not len(self._id) == len(self._time) == shape.records or shape.records % 1000:
            raise ValueError("copies need whole seconds of events, each with an id and a time")
        digits = self._data[self._time[:, None] + np.arange(_SECONDS)] - ord("0")
        self._seconds: Index = digits @ 10 ** np.arange(_SECONDS - 1, -1, -1, dtype=np.int64)

    def copies(self, count: int) -> Iterator[Octets]:
        """One after the other, each in the memory of the one before. Raises ValueError for more than 256."""
        if count > MOST_COPIES:
            raise ValueError(f"at most {MOST_COPIES} copies")
        for k in range(count):
            self._data[self._id], self._data[self._id + 1] = _HEX[k >> 4], _HEX[k & 15]
            rest = self._seconds + k * self._span_s
            for place in range(_SECONDS - 1, -1, -1):
                rest, digit = np.divmod(rest, 10)
                self._data[self._time + place] = digit + ord("0")
            yield self._data


def _ends(pattern: re.Pattern[bytes], data: bytes) -> Index:
    return np.fromiter((found.end() for found in pattern.finditer(data)), np.int64)
