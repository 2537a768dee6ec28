"""Flat JSON objects straight to typed columns; what is wrong or unusual is left, by record, to the portable path.

A record is taken here only if each of its bytes was checked and its fields need no mending: no byte of one record
bears on another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import PADDING, Index, Mask, Octets, Words
from lepton_stream.compiled.jit import inlined, jit_for
from lepton_stream.compiled.number import INTEGER, UNSURE, number, to_float, to_int
from lepton_stream.compiled.signatures import INDEX, INDEX_OUT, INT, MASK_OUT, NOTHING, WORD, WORDS_OUT
from lepton_stream.compiled.syntax import (
    QUOTE,
    after_blanks,
    after_colon,
    after_literal,
    after_member,
    after_value,
    closing_quote,
    is_null,
)
from lepton_stream.compiled.words import Word, bits_of_float, byte, cell, load, put, trailing_zeros

_TEXT, _FLOAT, _INT, _BOOL = range(4)
_KINDS = {"str": _TEXT, "float": _FLOAT, "int": _INT, "bool": _BOOL}
_NAME, _LENGTH, _KIND, _CELL, _GUESS = range(5)
_COLUMNS = 5
_ROW = 8 * _COLUMNS
_MOST_FIELDS = 63
_UNLISTED, _UNSURE = -1, -2
_STRING, _OBJECT, _LIST, _BOOLEAN, _NULL, _NUMBER = range(1, 7)
WRONG = {_STRING: "a string", _OBJECT: "an object", _LIST: "a list", _BOOLEAN: "a boolean", _NUMBER: "a number"}
"""What a value is instead of what its field wants, by the codes of `fault_of`; `_NULL` is nothing at all."""
_CODES = 8
_NONE_WRONG = 1 << 20


class Fields(NamedTuple):
    """What to look for. `layout` int64[fields + 1, 5]: address of the name, its length, kind, row of its cells, guess.

    The guess is the field that followed this one in the last record; the last row's is the one that came first.
    `optional`, `mended`: a bit for each field that may be absent or null, and whose bad values others replace.
    """

    names: Octets
    layout: NDArray[np.int64]
    optional: int
    mended: int
    width: int


class Found(NamedTuple):
    """`cells` int64[width, n]: the values of all n records, a row a field; two for text (start, length).

    A float's cell holds its bits, a missing one 0. `seen`: a bit for each field that has a value. `faults` int64[n]:
    why a record that is a good object cannot be used, see `fault_of`; 0 for others. Where `taken` is False and there is
    no fault, nothing is said about the record.
    """

    taken: Mask
    seen: Words
    cells: NDArray[np.int64]
    faults: Index


def fault_of(fault: int) -> tuple[int, str]:
    """(the first field that is bad, what it is instead of what it should be: "" if it is not there)."""
    field, code = divmod(fault, _CODES)
    return field, WRONG.get(code, "")


def json_fields(fields: Sequence[tuple[str, str, bool, bool]]) -> Fields | None:
    """For (name, type, whether it may be absent or null, whether others replace bad values).

    None where names are too many or need escapes.
    """
    if len(fields) > _MOST_FIELDS or not all(_is_plain(name) for name, *_ in fields):
        return None
    names = [name.encode() for name, *_ in fields]
    kind = np.array([_KINDS[kind] for _, kind, *_ in fields], np.int64)
    length = np.array([len(name) for name in names], np.int64)
    width = 1 + (kind == _TEXT)
    text = np.frombuffer(b"".join([*names, bytes(PADDING)]), np.uint8)
    layout = np.zeros((len(fields) + 1, _COLUMNS), np.int64)
    layout[:-1, _NAME], layout[:-1, _LENGTH] = text.ctypes.data + np.cumsum(length) - length, length
    layout[:-1, _KIND], layout[:-1, _CELL] = kind, np.cumsum(width) - width
    layout[:-1, _GUESS] = np.arange(1, len(fields) + 1)
    optional = sum(may << i for i, (_, _, may, _) in enumerate(fields))
    mended = sum(mends << i for i, (*_, mends) in enumerate(fields))
    return Fields(text, layout, optional, mended, int(width.sum()))


def _is_plain(name: str) -> bool:
    """Whether JSON writes it as it is, and need not write it otherwise to be read so."""
    return not any(c in '"\\' or c < " " or "\ud800" <= c <= "\udfff" for c in name)


def scan_json(data: Octets, start: Index, length: Index, fields: Fields, most: int, levels: int) -> Found:
    """Records data[start[i] : start[i] + length[i]] of at most `most` bytes and `levels` levels, itself among them."""
    n = len(start)
    cells = np.zeros((fields.width, n), np.int64)
    found = Found(np.zeros(n, np.bool_), np.zeros(n, np.uint64), cells, np.zeros(n, np.int64))
    begin = np.ascontiguousarray(start), np.ascontiguousarray(length)
    bits: tuple[Word, Word] = np.uint64(fields.optional), np.uint64(fields.mended)
    layout = fields.layout.ctypes.data, len(fields.layout) - 1, *bits
    taken, seen, _, faults = found
    _scan(data.ctypes.data, *begin, *layout, most, levels, taken, seen, cells.ctypes.data, faults)
    return found


@inlined
def _is_named(at: int, end: int, name: int, n: int) -> bool:
    """Whether the name here, with its closing quote, is the one at `name`."""
    if at + n >= end or byte(at + n) != QUOTE:
        return False
    while n >= 8:
        if load(at) != load(name):
            return False
        at, name, n = at + 8, name + 8, n - 8
    rest = (np.uint64(1) << np.uint64(8 * n)) - np.uint64(1)
    return (load(at) ^ load(name)) & rest == np.uint64(0)


@inlined
def _field(at: int, end: int, layout: int, fields: int, before: int) -> tuple[int, int]:
    """(which field is named here, where its closing quote ends): mostly the one that followed in the last record."""
    guess = cell(layout + before * _ROW, _GUESS)
    n = cell(layout + guess * _ROW, _LENGTH)
    if guess < fields and _is_named(at, end, cell(layout + guess * _ROW, _NAME), n):
        return guess, at + n + 1
    quote = closing_quote(at, end)
    if quote < 0:
        return _UNSURE, at
    for field in range(fields):
        n = cell(layout + field * _ROW, _LENGTH)
        if n == quote - at and _is_named(at, end, cell(layout + field * _ROW, _NAME), n):
            put(layout + before * _ROW, _GUESS, field)
            return field, quote + 1
    return _UNLISTED, quote + 1


@inlined
def _value(at: int, end: int, layout: int, base: int, cells: int, n: int) -> int:
    """Put the value into its cell; behind it, or -1."""
    kind, place = cell(layout, _KIND), cell(layout, _CELL) * n
    if kind == _TEXT:
        quote = closing_quote(at + 1, end) if byte(at) == QUOTE else -1
        put(cells, place, at + 1 - base)
        put(cells, place + n, quote - at - 1)
        return quote + 1 if quote >= 0 else -1
    if kind == _BOOL:
        put(cells, place, byte(at) == ord("t"))
        return after_literal(at, end) if byte(at) == ord("t") or byte(at) == ord("f") else -1
    at, form, negative, digits, power = number(at, end)
    if form == UNSURE or (negative and form == INTEGER and digits == np.uint64(0)):  # minus nothing: a float or not?
        return -1
    if kind == _FLOAT:
        sure, value = to_float(negative, digits, power)
        put(cells, place, bits_of_float(value))
    else:
        sure, integer = to_int(negative, digits)
        sure = sure and form == INTEGER
        put(cells, place, integer)
    return at if sure else -1


@inlined
def _fault(at: int, kind: int) -> int:
    """What the value here is, if it is not of the field's kind; else 0, and for what is no value at all."""
    first = byte(at)
    if first == QUOTE:
        return 0 if kind == _TEXT else _STRING
    if first == ord("-") or 48 <= first <= 57:
        return 0 if kind == _FLOAT or kind == _INT else _NUMBER  # noqa: SIM109  (slower in Numba)
    if first == ord("t") or first == ord("f"):
        return 0 if kind == _BOOL else _BOOLEAN
    if first == ord("{"):
        return _OBJECT
    if first == ord("["):
        return _LIST
    return _NULL if first == ord("n") else 0


@inlined
def _first_fault(lacking: Word, wrong: int) -> int:
    """The fault of the first lacking field; `wrong`: of the first whose value is not of its kind."""
    field = int(trailing_zeros(lacking))
    return wrong if wrong // _CODES == field else field * _CODES + _NULL


@inlined
def _record(
    at: int, end: int, layout: int, fields: int, optional: Word, levels: int, base: int, cells: int, n: int
) -> tuple[int, Word, int]:
    """(its end, the fields that have a value, the first wrong one), -1 for the end if not sure.

    `at`: behind the opening bracket. The last is the fault of the first field that has a value of another kind.
    """
    named: Word = np.uint64(0)
    seen: Word = np.uint64(0)
    wrong = _NONE_WRONG
    before = fields
    while True:
        at = after_blanks(at, end)
        if at >= end or byte(at) != QUOTE:
            return -1, seen, wrong
        field, at = _field(at + 1, end, layout, fields, before)
        at = after_colon(at, end) if field != _UNSURE else -1
        if at < 0 or at >= end:
            return -1, seen, wrong
        if field == _UNLISTED:
            at = after_value(at, end, levels - 1)
        else:
            bit: Word = np.uint64(1) << np.uint64(field)
            if named & bit != np.uint64(0):  # of equal names the last wins, but not here
                return -1, seen, wrong
            named, before = named | bit, field
            if optional & bit != np.uint64(0) and is_null(at, end):
                at += 4
            else:
                behind = _value(at, end, layout + field * _ROW, base, cells, n)
                code = _fault(at, cell(layout + field * _ROW, _KIND)) if behind < 0 else 0
                if code == 0:
                    at, seen = behind, seen | bit
                else:
                    at, wrong = after_value(at, end, levels - 1), min(wrong, field * _CODES + code)
        at, more = after_member(at, end)
        if not more:
            return at, seen, wrong


@jit_for(NOTHING(INT, INDEX, INDEX, INT, INT, WORD, WORD, INT, INT, MASK_OUT, WORDS_OUT, INT, INDEX_OUT))
def _scan(
    base: int,
    start: Index,
    length: Index,
    layout: int,
    fields: int,
    optional: Word,
    mended: Word,
    most: int,
    levels: int,
    taken: Mask,
    seen: Words,
    cells: int,
    faults: Index,
) -> None:
    everything = (np.uint64(1) << np.uint64(fields)) - np.uint64(1)
    for row in range(len(start)):
        at, n = base + start[row], length[row]
        if 2 <= n <= most and byte(at) == ord("{"):
            place = cells + 8 * row
            at, has, wrong = _record(at + 1, at + n, layout, fields, optional, levels, base, place, len(start))
            lacking = everything & ~(has | optional)
            if wrong != _NONE_WRONG:
                lacking |= np.uint64(1) << np.uint64(wrong // _CODES)
            seen[row] = has
            taken[row] = at >= 0 and lacking == np.uint64(0)
            if at >= 0 and lacking != np.uint64(0) and lacking & mended == np.uint64(0):
                faults[row] = _first_fault(lacking, wrong)
