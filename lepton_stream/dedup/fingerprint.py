"""128-bit keyed fingerprints of typed values, column by column.

SipHash-1-3 with 128-bit output (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) over 64-bit words. The
words of a row are, field by field, a header (type and length) and the value: text as its bytes padded with zeros, an
integer as its 64 bits, a float as the bits of the double, a bool as 0 or 1. The header makes the words prefix-free, so
two rows have equal words only if they have equal typed values: 1, 1.0, "1" and True are four different ids.

With a secret key nobody can aim at a collision; by chance, two among n ids collide with a probability of about
n² / 2**129 (ten million ids: 1.5e-25).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lepton_stream.columns import Column, Index, Mask, Numbers, Text, Words
from lepton_stream.compiled import switch

LONG = 256
"""Texts longer than this many bytes go through BLAKE2b one by one; a column of them would loop over its longest."""


class Key(NamedTuple):
    """128 secret bits."""

    k0: int
    k1: int

    @classmethod
    def from_bytes(cls, secret: bytes) -> Key:
        """From 16 bytes."""
        return cls(int.from_bytes(secret[:8], "little"), int.from_bytes(secret[8:16], "little"))


class Fingerprints(NamedTuple):
    """Two uint64[n]."""

    high: Words
    low: Words


_Lanes: TypeAlias = list[Words]
_TYPE = {"f": 1, "i": 2, "b": 3}
_TEXT, _MISSING = 4, 0
_ALL: Mask = np.zeros(0, np.bool_)  # what compiled functions take for "no row is missing"
_INITIAL = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


def _rotate(x: Words, by: int) -> Words:
    return (x << np.uint64(by)) | (x >> np.uint64(64 - by))


def _round(v: _Lanes) -> None:
    v[0] += v[1]
    v[2] += v[3]
    v[1] = _rotate(v[1], 13)
    v[3] = _rotate(v[3], 16)
    v[1] ^= v[0]
    v[3] ^= v[2]
    v[0] = _rotate(v[0], 32)
    v[2] += v[1]
    v[0] += v[3]
    v[1] = _rotate(v[1], 17)
    v[3] = _rotate(v[3], 21)
    v[1] ^= v[2]
    v[3] ^= v[0]
    v[2] = _rotate(v[2], 32)


def _absorb(v: _Lanes, word: Words) -> None:
    v[3] ^= word
    _round(v)
    v[0] ^= word


def _absorb_some(v: _Lanes, word: Words, rows: Index) -> None:
    """Absorb only in these rows, for the words of texts that are longer than others."""
    some = [lane[rows] for lane in v]
    _absorb(some, word)
    for lane, mended in zip(v, some, strict=True):
        lane[rows] = mended


def fingerprints(columns: Sequence[Column], key: Key) -> Fingerprints:
    """One fingerprint a row over all columns together. All columns have the same length."""
    functions = switch.current()
    if functions is not None:
        return _compiled(functions, columns, key)
    v = [np.full(len(columns[0]), lane, np.uint64) for lane in _start(key)]
    for column in columns:
        if isinstance(column, Text):
            _absorb_text(v, column, key)
        else:
            _absorb_numbers(v, column)
    return _finish(v)


def _start(key: Key) -> Words:
    """The four lanes before the first word."""
    lanes = np.array(_INITIAL, np.uint64) ^ np.array((key.k0, key.k1, key.k0, key.k1), np.uint64)
    lanes[1] ^= np.uint64(0xEE)
    return lanes


def _compiled(functions: Any, columns: Sequence[Column], key: Key) -> Fingerprints:
    """The same by compiled functions; only long texts are left to `_absorb_long`."""
    n, first = len(columns[0]), columns[0]
    prints = Fingerprints(np.empty(n, np.uint64), np.empty(n, np.uint64))
    if len(columns) == 1 and isinstance(first, Text) and first.valid is None and not _has_long(first):
        functions.text_prints(first.data, first.start, first.length, _start(key), _TEXT, *prints)
        return prints
    v = np.tile(_start(key), (n, 1))
    for column in columns:
        valid = _ALL if column.valid is None else column.valid
        if isinstance(column, Text):
            functions.absorb_text(v, column.data, column.start, column.length, valid, LONG, _TEXT)
            if _has_long(column):
                _absorb_long(list(v.T), column, key)
        else:
            functions.absorb_numbers(v, _bits(column), valid, _TYPE[column.values.dtype.kind])
    functions.finish(v, *prints)
    return prints


def _has_long(column: Text) -> bool:
    return int(column.length.max(initial=0)) > LONG


def _finish(v: _Lanes) -> Fingerprints:
    v[2] ^= np.uint64(0xEE)
    for _ in range(3):
        _round(v)
    high = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= np.uint64(0xDD)
    for _ in range(3):
        _round(v)
    return Fingerprints(high, v[0] ^ v[1] ^ v[2] ^ v[3])


def _absorb_numbers(v: _Lanes, column: Numbers) -> None:
    header = np.full(len(column), _TYPE[column.values.dtype.kind], np.uint64)
    if column.valid is not None:
        header[~column.valid] = _MISSING
    _absorb(v, header)
    _absorb(v, _bits(column))


def _bits(column: Numbers) -> Words:
    values: np.ndarray[tuple[int, ...], np.dtype[np.generic]] = column.values
    if values.dtype.kind == "f":
        values = column.values + 0.0  # -0.0 and 0.0 are one number
    return values.astype(np.uint64) if values.dtype.kind == "b" else values.view(np.uint64)


def _absorb_text(v: _Lanes, column: Text, key: Key) -> None:
    header = column.length.astype(np.uint64) << np.uint64(8) | np.uint64(_TEXT)
    if column.valid is not None:
        header[~column.valid] = _MISSING
    _absorb(v, header)
    length = column.length
    if _has_long(column):
        _absorb_long(v, column, key)
        length = np.where(length > LONG, 0, length)
    longest = int(length.max(initial=0))
    shortest = int(length.min(initial=longest))
    for at in range(0, longest, 8):
        if at < shortest:
            _absorb(v, load_words(column, np.arange(0), at, length))
        else:
            rows = np.flatnonzero(length > at)
            _absorb_some(v, load_words(column, rows, at, length[rows]), rows)


def load_words(column: Text, rows: Index, at: int, length: Index) -> Words:
    """Eight bytes from position `at` of each row (of all rows if `rows` is empty), zeros behind the row's end."""
    data = column.data
    every = np.ndarray((len(data) - 7,), "<u8", data, strides=(1,))
    start = column.start[rows] if len(rows) else column.start
    words = every[start + at]
    left = length - at
    if int(left.min(initial=8)) < 8:
        words &= _KEEP[np.minimum(left, 8)]
    return np.asarray(words)


_KEEP = np.array([(1 << (8 * n)) - 1 for n in range(9)], np.uint64)


def _absorb_long(v: _Lanes, column: Text, key: Key) -> None:
    rows = np.flatnonzero(column.length > LONG)
    secret = key.k0.to_bytes(8, "little") + key.k1.to_bytes(8, "little")
    spans = zip(column.start[rows].tolist(), column.length[rows].tolist(), strict=True)
    digests = [hashlib.blake2b(column.data[a : a + n].tobytes(), digest_size=16, key=secret).digest() for a, n in spans]
    words = np.frombuffer(b"".join(digests), "<u8").reshape(-1, 2)
    _absorb_some(v, words[:, 0].copy(), rows)
    _absorb_some(v, words[:, 1].copy(), rows)
