"""How deeply JSON documents nest, decided from their bytes alone.

A decoder's own recursion limit depends on how deep the Python stack already is; the same bytes would be judged
differently in another place. So documents that could nest deeper than `MAX_DEPTH` are measured before decoding.
"""

from __future__ import annotations

import re

import numpy as np

from lepton_stream.columns import Index, Octets

MAX_DEPTH = 32
"""Levels of `{` and `[` that a record may nest, ignored fields included."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_STEP = np.zeros(256, np.int8)
_STEP[list(b"{[")] = 1
_STEP[list(b"}]")] = -1


def depth(document: bytes) -> int:
    """Deepest nesting of brackets outside strings. Also defined for text that is no JSON."""
    steps = _STEP[np.frombuffer(_STRING.sub(b"", document), np.uint8)]
    return int(np.cumsum(steps, dtype=np.int64).max(initial=0))


def suspects(data: Octets, start: Index, length: Index) -> Index:
    """Rows with more than MAX_DEPTH opening brackets, in strings or not: the only ones that can nest deeper."""
    total = np.count_nonzero(data == ord("{")) + np.count_nonzero(data == ord("["))
    # Each record that begins with a bracket explains one; what is left over cannot make a single record deep.
    first = data[start[length > 0]]
    if total - np.count_nonzero((first == ord("{")) | (first == ord("["))) < MAX_DEPTH:
        return np.zeros(0, np.int64)
    opening = np.flatnonzero((data == ord("{")) | (data == ord("[")))
    count = np.searchsorted(opening, start + length) - np.searchsorted(opening, start)
    return np.flatnonzero(count > MAX_DEPTH)
