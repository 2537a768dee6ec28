"""SipHash-1-3 over columns: `v` holds the four lanes of each row, uint64[n, 4], as in `dedup.fingerprint`."""

from __future__ import annotations

import numpy as np
from numba import types

from lepton_stream.columns import Index, Mask, Octets, Words
from lepton_stream.compiled.jit import inlined, jit_for
from lepton_stream.compiled.signatures import INDEX, MASK, NOTHING, OCTETS, SLOTS, WORD, WORDS, WORDS_OUT
from lepton_stream.compiled.words import load

Lanes = tuple[np.uint64, np.uint64, np.uint64, np.uint64]


@inlined
def _rotate(x: np.uint64, by: int) -> np.uint64:
    return (x << np.uint64(by)) | (x >> np.uint64(64 - by))


@inlined
def _round(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64) -> Lanes:
    a += b
    c += d
    b = _rotate(b, 13) ^ a
    d = _rotate(d, 16) ^ c
    a = _rotate(a, 32)
    c += b
    a += d
    b = _rotate(b, 17) ^ c
    d = _rotate(d, 21) ^ a
    return a, b, _rotate(c, 32), d


@inlined
def _absorb(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64, word: np.uint64) -> Lanes:
    a, b, c, d = _round(a, b, c, d ^ word)
    return a ^ word, b, c, d


@inlined
def _text(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64, at: int, length: int, header: np.uint64) -> Lanes:
    """Header and words of the text at an address; the bytes behind its end are zeros."""
    a, b, c, d = _absorb(a, b, c, d, header)
    while length >= 8:
        a, b, c, d = _absorb(a, b, c, d, load(at))
        at, length = at + 8, length - 8
    if length > 0:
        keep = (np.uint64(1) << np.uint64(8 * length)) - np.uint64(1)
        a, b, c, d = _absorb(a, b, c, d, load(at) & keep)
    return a, b, c, d


@inlined
def _finish(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64) -> tuple[np.uint64, np.uint64]:
    c ^= np.uint64(0xEE)
    for _ in range(3):
        a, b, c, d = _round(a, b, c, d)
    high = a ^ b ^ c ^ d
    b ^= np.uint64(0xDD)
    for _ in range(3):
        a, b, c, d = _round(a, b, c, d)
    return high, a ^ b ^ c ^ d


@jit_for(NOTHING(SLOTS, OCTETS, INDEX, INDEX, MASK, types.int64, WORD))
def absorb_text(v: Words, data: Octets, start: Index, length: Index, valid: Mask, most: int, kind: np.uint64) -> None:
    """A column of texts; `valid` is empty where none is missing. Of texts longer than `most`, only the header."""
    base = np.int64(data.ctypes.data)
    for i in range(len(start)):
        header = np.uint64(length[i]) << np.uint64(8) | kind
        if len(valid) and not valid[i]:
            header = np.uint64(0)
        n = length[i] if length[i] <= most else 0
        v[i, 0], v[i, 1], v[i, 2], v[i, 3] = _text(v[i, 0], v[i, 1], v[i, 2], v[i, 3], base + start[i], n, header)


@jit_for(NOTHING(SLOTS, WORDS, MASK, WORD))
def absorb_numbers(v: Words, values: Words, valid: Mask, kind: np.uint64) -> None:
    """A column of numbers, as their bits; `valid` is empty where none is missing."""
    for i in range(len(values)):
        header = kind
        if len(valid) and not valid[i]:
            header = np.uint64(0)
        a, b, c, d = _absorb(v[i, 0], v[i, 1], v[i, 2], v[i, 3], header)
        v[i, 0], v[i, 1], v[i, 2], v[i, 3] = _absorb(a, b, c, d, values[i])


@jit_for(NOTHING(SLOTS, WORDS_OUT, WORDS_OUT))
def finish(v: Words, high: Words, low: Words) -> None:
    """The fingerprints of what was absorbed."""
    for i in range(len(high)):
        high[i], low[i] = _finish(v[i, 0], v[i, 1], v[i, 2], v[i, 3])


@jit_for(NOTHING(OCTETS, INDEX, INDEX, WORDS, WORD, WORDS_OUT, WORDS_OUT))
def text_prints(
    data: Octets, start: Index, length: Index, lanes: Words, kind: np.uint64, high: Words, low: Words
) -> None:
    """All in one pass where there is one column of texts, none of them missing. `lanes`: what a row begins with."""
    base = np.int64(data.ctypes.data)
    for i in range(len(start)):
        header = np.uint64(length[i]) << np.uint64(8) | kind
        a, b, c, d = _text(lanes[0], lanes[1], lanes[2], lanes[3], base + start[i], length[i], header)
        high[i], low[i] = _finish(a, b, c, d)
