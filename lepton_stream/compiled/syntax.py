"""JSON syntax (RFC 8259), checked and passed over: each function takes a position and gives the one behind, or -1.

-1 says "not sure": wrong, or so unusual that the portable decoder shall judge it.
"""

from __future__ import annotations

import numpy as np

from lepton_stream.compiled.jit import inlined, jit
from lepton_stream.compiled.number import UNSURE, number
from lepton_stream.compiled.utf8 import after_character
from lepton_stream.compiled.words import ONES, TOPS, Word, byte, load, trailing_zeros

QUOTE = 0x22
_QUOTES: Word = ONES * np.uint64(0x22)
_BACKSLASHES: Word = ONES * np.uint64(0x5C)
_BLANKS: Word = ONES * np.uint64(0x20)
_TRUE, _NULL, _ALSE = (np.uint64(int.from_bytes(word, "little")) for word in (b"true", b"null", b"alse"))
_FOUR = np.uint64(0xFFFFFFFF)
_EXPONENT_MOST = 280
"""Numbers with at most 19 digits and such an exponent fit into a float, whoever reads them."""


@inlined
def after_blanks(at: int, end: int) -> int:
    """Behind spaces, tabs and line breaks; there may be none."""
    while at < end and (byte(at) == 32 or byte(at) == 10 or byte(at) == 13 or byte(at) == 9):
        at += 1
    return at


@inlined
def _special(word: Word) -> Word:
    """A top bit for each quote, backslash, control character and byte beyond ASCII; sure up to the first of them."""
    quotes, slashes = word ^ _QUOTES, word ^ _BACKSLASHES
    found = ((quotes - ONES) & ~quotes) | ((slashes - ONES) & ~slashes) | (word - _BLANKS) | word
    return found & TOPS


@inlined
def _to_special(at: int, end: int) -> int:
    """The next byte in a string that is no plain character, `end` if there is none."""
    while at < end:
        found = _special(load(at))
        if found != np.uint64(0):
            return min(at + int(trailing_zeros(found) >> np.uint64(3)), end)
        at += 8
    return end


@inlined
def closing_quote(at: int, end: int) -> int:
    """The quote that ends a string without escapes whose first character is at `at`."""
    at = _to_special(at, end)
    while at < end and byte(at) >= 0x80:
        at = after_character(at, end)
        if at < 0:
            return -1
        at = _to_special(at, end)
    return at if at < end and byte(at) == QUOTE else -1


@jit
def after_string(at: int, end: int) -> int:
    """Behind the closing quote of a string that may hold escapes; `at`: behind its opening quote."""
    at = _to_special(at, end)
    while at < end:
        if byte(at) == QUOTE:
            return at + 1
        at = after_character(at, end) if byte(at) >= 0x80 else _after_escape(at, end)
        if at < 0:
            return -1
        at = _to_special(at, end)
    return -1


@jit
def _after_escape(at: int, end: int) -> int:
    """Halves of surrogate pairs are left to others."""
    if byte(at) != 0x5C or at + 1 >= end:
        return -1
    code = byte(at + 1)
    if code != ord("u"):
        known = code == QUOTE or code == 0x5C or code == ord("/") or code == ord("b") or code == ord("f")
        return at + 2 if known or code == ord("n") or code == ord("r") or code == ord("t") else -1
    if at + 6 > end:
        return -1
    unit = 0
    for i in range(at + 2, at + 6):
        digit = _hexadecimal(byte(i))
        if digit < 0:
            return -1
        unit = unit * 16 + digit
    return -1 if 0xD800 <= unit < 0xE000 else at + 6


@inlined
def _hexadecimal(code: int) -> int:
    if 48 <= code <= 57:
        return code - 48
    letter = (code | 32) - 97
    return letter + 10 if 0 <= letter < 6 else -1


@inlined
def after_literal(at: int, end: int) -> int:
    """Behind true, false or null."""
    if byte(at) == ord("f"):
        at += 1
        return at + 4 if at + 4 <= end and load(at) & _FOUR == _ALSE else -1
    word = load(at) & _FOUR
    return at + 4 if at + 4 <= end and (word == _TRUE or word == _NULL) else -1  # noqa: SIM109  (slower in Numba)


@inlined
def is_null(at: int, end: int) -> bool:
    """Whether null begins here."""
    return at + 4 <= end and load(at) & _FOUR == _NULL


@inlined
def _after_scalar(at: int, end: int) -> int:
    if at >= end:
        return -1
    first = byte(at)
    if first == QUOTE:
        return after_string(at + 1, end)
    if first == ord("-") or 48 <= first <= 57:
        at, kind, _, _, power = number(at, end)
        return at if kind != UNSURE and -_EXPONENT_MOST <= power <= _EXPONENT_MOST else -1
    return after_literal(at, end)


@inlined
def after_colon(at: int, end: int) -> int:
    """Behind the colon and blanks on both sides of it."""
    at = after_blanks(at, end)
    return after_blanks(at + 1, end) if at < end and byte(at) == ord(":") else -1


@inlined
def _after_name(at: int, end: int) -> int:
    """Behind a name and its colon."""
    if at >= end or byte(at) != QUOTE:
        return -1
    at = after_string(at + 1, end)
    return after_colon(at, end) if at >= 0 else -1


@inlined
def after_member(at: int, end: int) -> tuple[int, bool]:
    """(behind the comma, or behind the object's end and the blanks that must fill the rest, whether more follows)."""
    at = after_blanks(at, end) if at >= 0 else end
    if at >= end:
        return -1, False
    if byte(at) == ord(","):
        return at + 1, True
    at = after_blanks(at + 1, end) if byte(at) == ord("}") else -1
    return at if at == end else -1, False


@inlined
def after_value(at: int, end: int, levels: int) -> int:
    """Behind any value; `levels`: how deeply it may nest, at most 64."""
    if at < end and (byte(at) == ord("{") or byte(at) == ord("[")):
        return _after_nested(at, end, levels)
    return _after_scalar(at, end)


@jit
def _after_nested(at: int, end: int, levels: int) -> int:
    depth = 0
    objects: Word = np.uint64(0)  # a bit for each open level: whether it is an object
    while at >= 0:
        at = after_blanks(at, end)
        opening = byte(at) if at < end else 0
        if opening == ord("{") or opening == ord("["):
            depth += 1
            objects = (objects << np.uint64(1)) | np.uint64(opening == ord("{"))
            at = after_blanks(at + 1, end)
            if depth > levels or at >= end:
                return -1
            if byte(at) != opening + 2:  # not closed at once
                if opening == ord("{"):
                    at = _after_name(at, end)
                continue
        else:
            at = _after_scalar(at, end)
        at, depth, objects = _after_closings(at, end, depth, objects)
        if depth == 0:
            return at
    return -1


@jit
def _after_closings(at: int, end: int, depth: int, objects: Word) -> tuple[int, int, Word]:
    """Behind the brackets that close after a value, and behind a comma (and name) if levels are still open."""
    while depth > 0 and at >= 0:
        at = after_blanks(at, end)
        if at >= end:
            return -1, depth, objects
        in_object = objects & np.uint64(1) != np.uint64(0)
        if byte(at) == ord(","):
            at = after_blanks(at + 1, end)
            return _after_name(at, end) if in_object else at, depth, objects
        if byte(at) != (ord("}") if in_object else ord("]")):
            return -1, depth, objects
        at, depth, objects = at + 1, depth - 1, objects >> np.uint64(1)
    return at, depth, objects
