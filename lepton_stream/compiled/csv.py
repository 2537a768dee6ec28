"""CSV lines straight to typed columns; what is wrong or unusual is left, by record, to the portable path.

A record is taken here only if it has the right number of cells, each of them plain or simply quoted, and every cell
that is read is surely a value of its type, or a null word. No byte of one record bears on another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import PADDING, Index, Mask, Octets, Words
from lepton_stream.compiled.csv_cells import BOOL, FLOAT, INT_, TEXT, boolean, decimal, is_word
from lepton_stream.compiled.jit import inlined, jit, jit_for
from lepton_stream.compiled.number import to_float, to_int
from lepton_stream.compiled.signatures import INDEX, INT, MASK_OUT, NOTHING, WORDS_OUT
from lepton_stream.compiled.utf8 import is_text
from lepton_stream.compiled.words import ONES, TOPS, Word, bits_of_float, byte, cell, load, put

_QUOTE, _NEWLINE, _RETURN = 0x22, 0x0A, 0x0D
_KINDS = {"str": TEXT, "float": FLOAT, "int": INT_, "bool": BOOL}
_COLUMN, _KIND, _CELL, _NULLS = range(4)
_ROW = 8 * 4
_MOST_USES = 63
_NEWLINES: Word = ONES * np.uint64(_NEWLINE)
_RETURNS: Word = ONES * np.uint64(_RETURN)


class Table(NamedTuple):
    """What to read of each line. `uses` int64[n + 1, 4], ascending by column: column, kind, row of its cells, nulls.

    The last row names a column that there is not. `nulls` int64[m + 1, 2]: address and length of each null word in
    `words`. `width`: cells in a line; `height`: rows of cells.
    """

    uses: NDArray[np.int64]
    words: Octets
    nulls: NDArray[np.int64]
    delimiter: int
    width: int
    height: int


class Lines(NamedTuple):
    """`cells` int64[height, n]: the values of all n records, a row a use; two for text (start, length).

    A float's cell holds its bits, a missing one 0. `seen`: a bit for each use that has a value. Where `taken` is
    False, nothing is said about the record.
    """

    taken: Mask
    seen: Words
    cells: NDArray[np.int64]


def csv_table(
    uses: Sequence[tuple[int, str, bool]], width: int, delimiter: bytes, nulls: Sequence[bytes]
) -> Table | None:
    """For (column, type, whether null words count), ascending by column; None for what cannot be looked for here."""
    if len(uses) > _MOST_USES or len(delimiter) != 1 or delimiter[0] in (_QUOTE, _NEWLINE, _RETURN):
        return None
    kinds = [_KINDS[kind] for _, kind, _ in uses]
    rows = np.cumsum([0, *(2 if kind == TEXT else 1 for kind in kinds)])
    layout = np.array([[*use] for use in zip([u[0] for u in uses], kinds, rows, [u[2] for u in uses], strict=False)])
    layout = np.concatenate([layout.reshape(-1, 4), [[width, 0, 0, 0]]]).astype(np.int64)
    words = np.frombuffer(b"".join([*nulls, bytes(PADDING)]), np.uint8)
    length = np.array([len(word) for word in nulls], np.int64)
    places = np.zeros((len(nulls) + 1, 2), np.int64)
    places[:-1, 0], places[:-1, 1] = words.ctypes.data + np.cumsum(length) - length, length
    return Table(layout, words, places, delimiter[0], width, int(rows[-1]))


def scan_csv(data: Octets, start: Index, length: Index, table: Table, most: int) -> Lines:
    """Records data[start[i] : start[i] + length[i]] of at most `most` bytes, with or without their line end."""
    n = len(start)
    lines = Lines(np.zeros(n, np.bool_), np.zeros(n, np.uint64), np.zeros((table.height, n), np.int64))
    begin = np.ascontiguousarray(start), np.ascontiguousarray(length)
    form = table.uses.ctypes.data, table.nulls.ctypes.data, len(table.nulls) - 1, table.delimiter, table.width
    _scan(data.ctypes.data, *begin, *form, most, lines.taken, lines.seen, lines.cells.ctypes.data)
    return lines


@inlined
def _unusual(word: Word) -> tuple[Word, Word]:
    """(not zero if a line break is among these bytes, sure up to the first; top bits of bytes beyond ASCII)."""
    feeds, returns = word ^ _NEWLINES, word ^ _RETURNS
    return (((feeds - ONES) & ~feeds) | ((returns - ONES) & ~returns)) & TOPS, word & TOPS


@inlined
def _is_one_line(at: int, end: int) -> bool:
    """Whether data[at:end] is UTF-8 without a line break."""
    first = at
    beyond: Word = np.uint64(0)
    while at + 8 <= end:
        breaks, high = _unusual(load(at))
        if breaks != np.uint64(0):
            return False
        beyond, at = beyond | high, at + 8
    if at < end:
        rest: Word = TOPS >> np.uint64(8 * (8 - (end - at)))
        breaks, high = _unusual(load(at))
        if breaks & rest != np.uint64(0):
            return False
        beyond |= high & rest
    return beyond == np.uint64(0) or is_text(first, end)


@inlined
def _without_line_end(at: int, end: int) -> int:
    r"""Where the line ends without its one \n, \r\n or \r."""
    if end > at and byte(end - 1) == _NEWLINE:
        end -= 1
    if end > at and byte(end - 1) == _RETURN:
        end -= 1
    return end


@inlined
def _is_null(at: int, end: int, nulls: int, count: int) -> bool:
    for i in range(count):
        n = cell(nulls, 2 * i + 1)
        if n == end - at and is_word(at, cell(nulls, 2 * i), n):
            return True
    return False


@inlined
def _put_number(at: int, end: int, kind: int, cells: int, place: int) -> bool:
    """Put the number into its cell; whether it is surely one of this kind."""
    sure, whole, negative, digits, power = decimal(at, end)
    if not sure:
        return False
    if kind == INT_:
        sure, integer = to_int(negative, digits)
        put(cells, place, integer)
        return whole and sure
    sure, value = to_float(negative, digits, power)
    put(cells, place, bits_of_float(value))
    return sure


@inlined
def _put_value(at: int, end: int, kind: int, cells: int, place: int, n: int, base: int) -> bool:
    """Put the value into its cell; whether it is surely one of this kind."""
    if kind == TEXT:
        put(cells, place, at - base)
        put(cells, place + n, end - at)
        return True
    if kind == BOOL:
        sure, value = boolean(at, end)
        put(cells, place, value)
        return sure
    return _put_number(at, end, kind, cells, place)


@inlined
def _cell_end(at: int, end: int, delimiter: int) -> int:
    """Where an unquoted cell ends."""
    while at < end and byte(at) != delimiter:
        at += 1
    return at


@jit
def _line(
    at: int, end: int, uses: int, nulls: int, words: int, delimiter: int, width: int, base: int, cells: int, n: int
) -> tuple[bool, Word]:
    """(whether the line is taken, the uses that have a value)."""
    seen: Word = np.uint64(0)
    use = 0
    for column in range(width):
        quoted = at < end and byte(at) == _QUOTE
        first = at + 1 if quoted else at
        last = _cell_end(first, end, _QUOTE if quoted else delimiter)
        at = last + 1 if quoted else last
        if at > end or (at == end) != (column == width - 1) or (at < end and byte(at) != delimiter):
            return False, seen
        at += 1
        while cell(uses + use * _ROW, _COLUMN) == column:
            row = uses + use * _ROW
            if cell(row, _NULLS) == 0 or not _is_null(first, last, nulls, words):
                place = cell(row, _CELL) * n
                if not _put_value(first, last, cell(row, _KIND), cells, place, n, base):
                    return False, seen
                seen |= np.uint64(1) << np.uint64(use)
            use += 1
    return True, seen


@jit_for(NOTHING(INT, INDEX, INDEX, INT, INT, INT, INT, INT, INT, MASK_OUT, WORDS_OUT, INT))
def _scan(
    base: int,
    start: Index,
    length: Index,
    uses: int,
    nulls: int,
    words: int,
    delimiter: int,
    width: int,
    most: int,
    taken: Mask,
    seen: Words,
    cells: int,
) -> None:
    for row in range(len(start)):
        at, n = base + start[row], length[row]
        if not 0 < n <= most:
            continue
        end = _without_line_end(at, at + n)
        if end > at and _is_one_line(at, end):
            place = cells + 8 * row
            taken[row], seen[row] = _line(at, end, uses, nulls, words, delimiter, width, base, place, len(start))
