"""Rows of text put together from columns of spans, with fixed text between them: how results become JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from lepton_stream.columns import Index, Mask, Octets
from lepton_stream.compiled.jit import inlined, jit_for
from lepton_stream.compiled.signatures import BOOL, INDEX, INDEX_OUT, INT, MASK, OCTETS
from lepton_stream.compiled.words import byte, load, store

_OCTETS_OUT = OCTETS.copy(readonly=False)
_SPANS = types.Array(types.int64, 2, "C", readonly=True)
_WORD = 8
_QUOTE, _BACKSLASH, _FIRST_PLAIN = 34, 92, 32


@jit_for(BOOL(OCTETS, INDEX, INDEX))
def plain(data: Octets, start: Index, length: Index) -> bool:
    """Whether no text has a byte that JSON writes in another way."""
    base = np.int64(data.ctypes.data)
    for i in range(len(start)):
        for at in range(base + start[i], base + start[i] + length[i]):
            found = byte(at)
            if found < _FIRST_PLAIN or found == _QUOTE or found == _BACKSLASH:  # noqa: SIM109  (no tuple a byte)
                return False
    return True


@inlined
def _copied(to: Any, at: Any, length: Any) -> Any:
    """Where the copy ends. Whole words are copied: up to seven bytes behind it change, too."""
    for k in range(0, length, _WORD):
        store(to + k, load(at + k))
    return to + length


@inlined
def _set(to: Any, word: int, length: int) -> Any:
    """The same of text that is in a word."""
    store(to, np.uint64(word))
    return to + length


_NULL, _NULL_LENGTH, _ONE_QUOTE = int.from_bytes(b"null", "little"), 4, 34


@jit_for(INT(_SPANS, _SPANS, MASK, INDEX, INDEX, _OCTETS_OUT, INDEX_OUT))
def weave(at: Index, length: Index, quoted: Mask, form_at: Index, form_length: Index, out: Octets, ends: Index) -> Any:
    """Row after row into `out`: form 0, column 0, form 1, column 1, ... and the last form; how many bytes that are.

    `at` int64[columns, rows]: addresses of the texts, eight bytes behind each of them readable; a `length` below 0 is
    null, which is written without quotes. `ends` int64[rows]: where each ends in `out`, which has eight bytes to spare.
    """
    base = np.int64(out.ctypes.data)
    to, columns = base, len(quoted)
    for i in range(len(ends)):
        for c in range(columns):
            to = _copied(to, form_at[c], form_length[c])
            n = length[c, i]
            if n < 0:
                to = _set(to, _NULL, _NULL_LENGTH)
            elif quoted[c]:
                to = _set(to, _ONE_QUOTE, 1)
                to = _copied(to, at[c, i], n)
                to = _set(to, _ONE_QUOTE, 1)
            else:
                to = _copied(to, at[c, i], n)
        to = _copied(to, form_at[columns], form_length[columns])
        ends[i] = to - base
    return to - base
