"""The text of one CSV cell as a number or a truth value, after the rules of `lepton_stream.formats.csv_cells`.

"Not sure" is the answer for whatever is wrong, and for a number of more digits than fit into a word.
"""

from __future__ import annotations

import numpy as np

from lepton_stream.compiled.jit import inlined
from lepton_stream.compiled.words import Word, byte, load

TEXT, FLOAT, INT_, BOOL = range(4)

_DIGITS = 19  # as many always fit into a word
_EXPONENT_DIGITS = 4
_LOWER: Word = np.uint64(0x2020202020202020)
_TRUE, _FALSE = (np.uint64(int.from_bytes(word, "little")) for word in (b"true", b"false"))
_FOUR, _FIVE = np.uint64(2**32 - 1), np.uint64(2**40 - 1)
_TEN: Word = np.uint64(10)


@inlined
def is_word(at: int, word: int, n: int) -> bool:
    """Whether the n bytes at both addresses are equal."""
    while n >= 8:
        if load(at) != load(word):
            return False
        at, word, n = at + 8, word + 8, n - 8
    rest = (np.uint64(1) << np.uint64(8 * n)) - np.uint64(1)
    return (load(at) ^ load(word)) & rest == np.uint64(0)


@inlined
def boolean(at: int, end: int) -> tuple[bool, int]:
    """(whether it is one, 0 or 1): true, false, 1, 0 in any case."""
    n = end - at
    if n == 1:
        return byte(at) == 48 or byte(at) == 49, byte(at) & 1
    lower = load(at) | _LOWER
    if n == 4:
        return lower & _FOUR == _TRUE, 1
    return n == 5 and lower & _FIVE == _FALSE, 0


@inlined
def _digits(at: int, end: int, value: Word) -> tuple[int, Word]:
    """(where the digits end, `value` with them behind it)."""
    while at < end and 48 <= byte(at) <= 57:
        value = value * _TEN + np.uint64(byte(at) - 48)
        at += 1
    return at, value


@inlined
def decimal(at: int, end: int) -> tuple[bool, bool, bool, Word, int]:
    """(whether it is surely a number, an integer, negative, its digits as one integer, power of ten)."""
    negative = at < end and byte(at) == ord("-")
    first = at + 1 if at < end and (byte(at) == ord("-") or byte(at) == ord("+")) else at
    at, digits = _digits(first, end, np.uint64(0))
    count, power, whole = at - first, 0, True
    if at < end and byte(at) == ord("."):
        point, whole = at + 1, False
        at, digits = _digits(point, end, digits)
        count, power = count + at - point, point - at
    if at < end and (byte(at) | 32) == ord("e"):
        at, more = _exponent(at + 1, end)
        power, whole = power + more, False
    return at == end and 0 < count <= _DIGITS, whole, negative, digits, power


@inlined
def _exponent(at: int, end: int) -> tuple[int, int]:
    """(where it ends, its value); -1 for none, or one of more than four digits."""
    negative = at < end and byte(at) == ord("-")
    first = at + 1 if at < end and (byte(at) == ord("-") or byte(at) == ord("+")) else at
    at, value = _digits(first, end, np.uint64(0))
    if at == first or at - first > _EXPONENT_DIGITS:
        return -1, 0
    power = int(np.int64(value))
    return at, -power if negative else power
