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
from lepton_stream.compiled.signatures import INDEX, INT, MASK_OUT, NOTHING, WORD, WORDS_OUT
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
from lepton_stream.compiled.words import Word, bits_of_float, byte, cell, load, put

_TEXT, _FLOAT, _INT, _BOOL = range(4)
_KINDS = {"str": _TEXT, "float": _FLOAT, "int": _INT, "bool": _BOOL}
_NAME, _LENGTH, _KIND, _CELL, _GUESS = range(5)
_COLUMNS = 5
_ROW = 8 * _COLUMNS
_MOST_FIELDS = 63
_UNLISTED, _UNSURE = -1, -2


class Fields(NamedTuple):
    """What to look for. `layout` int64[fields + 1, 5]: address of the name, its length, kind, row of its cells, guess.

    The guess is the field that followed this one in the last record; the last row's is the one that came first.
    """

    names: Octets
    layout: NDArray[np.int64]
    optional: int
    width: int


class Found(NamedTuple):
    """`cells` int64[width, n]: the values of all n records, a row a field; two for text (start, length).

    A float's cell holds its bits, a missing one 0. `seen`: a bit for each field that has a value. Where `taken` is
    False, nothing is said about the record.
    """

    taken: Mask
    seen: Words
    cells: NDArray[np.int64]


def json_fields(fields: Sequence[tuple[str, str, bool]]) -> Fields | None:
    """For (name, type, whether it may be absent or null); None where names are too many or need escapes."""
    if len(fields) > _MOST_FIELDS or not all(_is_plain(name) for name, _, _ in fields):
        return None
    names = [name.encode() for name, _, _ in fields]
    kind = np.array([_KINDS[kind] for _, kind, _ in fields], np.int64)
    length = np.array([len(name) for name in names], np.int64)
    width = 1 + (kind == _TEXT)
    text = np.frombuffer(b"".join([*names, bytes(PADDING)]), np.uint8)
    layout = np.zeros((len(fields) + 1, _COLUMNS), np.int64)
    layout[:-1, _NAME], layout[:-1, _LENGTH] = text.ctypes.data + np.cumsum(length) - length, length
    layout[:-1, _KIND], layout[:-1, _CELL] = kind, np.cumsum(width) - width
    layout[:-1, _GUESS] = np.arange(1, len(fields) + 1)
    return Fields(text, layout, sum(may << i for i, (_, _, may) in enumerate(fields)), int(width.sum()))


def _is_plain(name: str) -> bool:
    """Whether JSON writes it as it is, and need not write it otherwise to be read so."""
    return not any(c in '"\\' or c < " " or "\ud800" <= c <= "\udfff" for c in name)


def scan_json(data: Octets, start: Index, length: Index, fields: Fields, most: int, levels: int) -> Found:
    """Records data[start[i] : start[i] + length[i]] of at most `most` bytes and `levels` levels, itself among them."""
    n = len(start)
    found = Found(np.zeros(n, np.bool_), np.zeros(n, np.uint64), np.zeros((fields.width, n), np.int64))
    begin = np.ascontiguousarray(start), np.ascontiguousarray(length)
    optional: Word = np.uint64(fields.optional)
    layout = fields.layout.ctypes.data, len(fields.layout) - 1, optional
    _scan(data.ctypes.data, *begin, *layout, most, levels, found.taken, found.seen, found.cells.ctypes.data)
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
def _record(
    at: int, end: int, layout: int, fields: int, optional: Word, levels: int, base: int, cells: int, n: int
) -> tuple[int, Word]:
    """(its end, the fields that have a value), -1 for the end if not sure; `at`: behind the opening bracket."""
    named: Word = np.uint64(0)
    seen: Word = np.uint64(0)
    before = fields
    while True:
        at = after_blanks(at, end)
        if at >= end or byte(at) != QUOTE:
            return -1, seen
        field, at = _field(at + 1, end, layout, fields, before)
        at = after_colon(at, end) if field != _UNSURE else -1
        if at < 0 or at >= end:
            return -1, seen
        if field == _UNLISTED:
            at = after_value(at, end, levels - 1)
        else:
            bit: Word = np.uint64(1) << np.uint64(field)
            if named & bit != np.uint64(0):  # of equal names the last wins, but not here
                return -1, seen
            named, before = named | bit, field
            if optional & bit != np.uint64(0) and is_null(at, end):
                at += 4
            else:
                at, seen = _value(at, end, layout + field * _ROW, base, cells, n), seen | bit
        at, more = after_member(at, end)
        if not more:
            return at, seen


@jit_for(NOTHING(INT, INDEX, INDEX, INT, INT, WORD, INT, INT, MASK_OUT, WORDS_OUT, INT))
def _scan(
    base: int,
    start: Index,
    length: Index,
    layout: int,
    fields: int,
    optional: Word,
    most: int,
    levels: int,
    taken: Mask,
    seen: Words,
    cells: int,
) -> None:
    everything = (np.uint64(1) << np.uint64(fields)) - np.uint64(1)
    for row in range(len(start)):
        at, n = base + start[row], length[row]
        if 2 <= n <= most and byte(at) == ord("{"):
            place = cells + 8 * row
            at, has = _record(at + 1, at + n, layout, fields, optional, levels, base, place, len(start))
            taken[row] = at >= 0 and has | optional == everything
            seen[row] = has
