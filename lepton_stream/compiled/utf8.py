"""UTF-8 by its bytes: no surrogates, nothing overlong, nothing above U+10FFFF (RFC 3629, section 4)."""

from __future__ import annotations

import numpy as np

from lepton_stream.compiled.jit import inlined, jit
from lepton_stream.compiled.words import TOPS, byte, load


@jit
def after_character(at: int, end: int) -> int:
    """Where the character of two to four bytes at `at` ends; -1 if there is none or it passes `end`."""
    first, second = byte(at), byte(at + 1)
    if first < 0xC2 or first > 0xF4:
        return -1
    low, high = _second(first)
    if second < low or second > high:
        return -1
    ends = at + 2 + (first >= 0xE0) + (first >= 0xF0)
    for i in range(at + 2, ends):
        if byte(i) & 0xC0 != 0x80:
            return -1
    return ends if ends <= end else -1


@inlined
def _second(first: int) -> tuple[int, int]:
    """What the second byte may be: the range is narrower behind four of the first bytes."""
    low = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
    high = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
    return low, high


@jit
def is_text(at: int, end: int) -> bool:
    """Whether data[at:end] is UTF-8."""
    while at < end:
        if at + 8 <= end and load(at) & TOPS == np.uint64(0):
            at += 8
        elif byte(at) < 0x80:
            at += 1
        else:
            at = after_character(at, end)
            if at < 0:
                return False
    return True
