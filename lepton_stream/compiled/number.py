"""JSON numbers (RFC 8259, section 6) to the nearest floats and to exact integers, or to "not sure".

Floats after Eisel and Lemire (D. Lemire, Number Parsing at a Gigabyte per Second, 2021, doi:10.1002/spe.2984): the
digits times a power of ten of 128 bits, cut off; where the cut could change the result, the answer is "not sure".
"""

from __future__ import annotations

import numpy as np

from lepton_stream.columns import Words
from lepton_stream.compiled.jit import inlined, jit
from lepton_stream.compiled.words import Word, byte, float_of_bits, leading_zeros, load, product

UNSURE, INTEGER, FRACTION = 0, 1, 2

_LOWEST, _HIGHEST = -348, 347
_DIGITS = 19  # as many always fit into a word
_EXACT: Word = np.uint64(1 << 53)
_INT_MAX: Word = np.uint64(2**63 - 1)
_NINE: Word = np.uint64(0x1FF)
_ZERO: Word = np.uint64(0)
_ONE: Word = np.uint64(1)
_TEN: Word = np.uint64(10)
_TENS = np.array([10.0**i for i in range(23)])  # all exact


def _powers() -> Words:
    """The 128 highest bits of each power of ten, cut off: (upper, lower) word."""
    words = np.zeros((_HIGHEST - _LOWEST + 1, 2), np.uint64)
    for power in range(_LOWEST, _HIGHEST + 1):
        number = 10**power if power >= 0 else (1 << 2048) // 10**-power
        bits = number.bit_length() - 128
        number = number >> bits if bits >= 0 else number << -bits
        words[power - _LOWEST] = number >> 64, number & (2**64 - 1)
    return words


_POWERS = _powers()


@inlined
def _eight_digits(word: Word) -> bool:
    """Whether all eight bytes are ASCII digits."""
    high: Word = np.uint64(0xF0F0F0F0F0F0F0F0)
    above = ((word + np.uint64(0x0606060606060606)) & high) >> np.uint64(4)
    return (word & high) | above == np.uint64(0x3333333333333333)


@inlined
def _value_of_eight(word: Word) -> Word:
    """Neighbours are added in pairs: digits to tens, tens to thousands, thousands to the number."""
    word = word - np.uint64(0x3030303030303030)
    word = word * _TEN + (word >> np.uint64(8))
    even, odd = word & np.uint64(0x000000FF000000FF), (word >> np.uint64(16)) & np.uint64(0x000000FF000000FF)
    return (even * np.uint64(0x000F424000000064) + odd * np.uint64(0x0000271000000001)) >> np.uint64(32)


@inlined
def _digits(at: int, end: int, value: Word) -> tuple[int, Word]:
    """(where the digits end, `value` with them behind it); the value is right for `_DIGITS` digits in all."""
    while at + 8 <= end:
        word = load(at)
        if not _eight_digits(word):
            break
        value = value * np.uint64(100_000_000) + _value_of_eight(word)
        at += 8
    while at < end and 48 <= byte(at) <= 57:
        value = value * _TEN + np.uint64(byte(at) - 48)
        at += 1
    return at, value


@jit
def _exponent(at: int, end: int) -> tuple[int, int]:
    """(where it ends, its value); -1 for none, or one of more than four digits."""
    negative = at < end and byte(at) == ord("-")
    if at < end and (byte(at) == ord("-") or byte(at) == ord("+")):
        at += 1
    first, value = at, 0
    while at < end and 48 <= byte(at) <= 57 and at - first < 5:
        value = value * 10 + byte(at) - 48
        at += 1
    if at == first or at - first > 4:
        return -1, 0
    return at, -value if negative else value


@inlined
def number(at: int, end: int) -> tuple[int, int, bool, Word, int]:
    """(where it ends, kind, negative, digits as one integer, power of ten); UNSURE if it is wrong or very long."""
    negative = byte(at) == ord("-")
    first = at + 1 if negative else at
    at, digits = _digits(first, end, _ZERO)
    count, kind, power = at - first, INTEGER, 0
    if count == 0 or (count > 1 and byte(first) == ord("0")):
        return at, UNSURE, negative, digits, power
    if at < end and byte(at) == ord("."):
        point = at + 1
        at, digits = _digits(point, end, digits)
        kind, power = FRACTION if at > point else UNSURE, point - at
        count += at - point
    if at < end and (byte(at) | 32) == ord("e") and kind != UNSURE:
        at, more = _exponent(at + 1, end)
        kind, power = FRACTION if at > 0 else UNSURE, power + more
    return at, kind if count <= _DIGITS else UNSURE, negative, digits, power


@inlined
def to_float(negative: bool, digits: Word, power: int) -> tuple[bool, float]:
    """(whether it is sure, the float nearest to digits * 10**power)."""
    if digits <= _EXACT and -22 <= power <= 22:  # one rounding of two exact numbers
        value = float(digits)
        value = value / _TENS[-power] if power < 0 else value * _TENS[power]
        return True, -value if negative else value
    sure, value = _nearest(digits, power)
    return sure, -value if negative else value


@jit
def _nearest(digits: Word, power: int) -> tuple[bool, float]:
    if digits == _ZERO:
        return True, 0.0
    if power < _LOWEST or power > _HIGHEST:
        return False, 0.0
    shift = leading_zeros(digits)
    digits = digits << shift
    upper, lower, sure = _scaled(digits, power)
    top = upper >> np.uint64(63)
    mantissa = upper >> (top + np.uint64(9))  # 53 bits and one to round by
    if lower == _ZERO and upper & _NINE == _ZERO and mantissa & np.uint64(3) == _ONE:
        sure = False  # half way between two floats, or a little more
    mantissa = (mantissa + (mantissa & _ONE)) >> _ONE
    carry = mantissa >> np.uint64(53)
    exponent = ((217706 * power) >> 16) + 1086 + np.int64(top) - np.int64(shift) + np.int64(carry)
    if exponent <= 0 or exponent >= 2047:
        return False, 0.0
    bits = (mantissa >> carry) & np.uint64((1 << 52) - 1)
    return sure, float_of_bits((np.uint64(exponent) << np.uint64(52)) | bits)


@inlined
def _scaled(digits: Word, power: int) -> tuple[Word, Word, bool]:
    """(upper, lower word of digits times the power of ten, whether what was cut off cannot change the upper word)."""
    upper, lower = product(digits, _POWERS[power - _LOWEST, 0])
    if upper & _NINE != _NINE or lower + digits >= digits:
        return upper, lower, True
    more, rest = product(digits, _POWERS[power - _LOWEST, 1])
    lower = np.uint64(lower + more)
    if lower < more:
        upper = np.uint64(upper + _ONE)
    return upper, lower, upper & _NINE != _NINE or lower + _ONE != _ZERO or rest + digits >= digits


@inlined
def to_int(negative: bool, digits: Word) -> tuple[bool, int]:
    """(whether int64 can hold it, the integer)."""
    if negative:
        return digits <= _INT_MAX + _ONE, int(np.int64(_ZERO - digits))
    return digits <= _INT_MAX, int(np.int64(digits))
