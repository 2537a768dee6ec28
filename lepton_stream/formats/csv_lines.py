"""One CSV line to cells: the rules of Python's csv module in strict mode, for a record that is one line.

A quoted cell may hold the delimiter and doubled quotes but no line break, so an unclosed quote spoils its own record
only. A quote inside an unquoted cell is an ordinary character.
"""

from __future__ import annotations

import re
from functools import cache

_LINE_END = re.compile(rb"[\r\n]")


class MalformedLine(ValueError):  # noqa: N818  a verdict, not an error of ours
    """The line cannot be split into cells; the argument says why, without its data."""


def without_line_end(line: bytes) -> bytes:
    r"""The line without its one \n, \r\n or \r at the end."""
    return line.removesuffix(b"\n").removesuffix(b"\r")


def split_line(line: bytes, delimiter: bytes) -> list[bytes]:
    """Cells of a line without line end. Raises MalformedLine."""
    if not line:
        raise MalformedLine("the record is empty")
    if found := _LINE_END.search(line):
        raise MalformedLine(f"a line break inside the record (byte {found.start()})")
    if b'"' not in line:
        return line.split(delimiter)
    cells = []
    position = 0
    while True:
        cell, position = _next_cell(line, position, delimiter)
        cells.append(cell)
        if position >= len(line):
            return cells
        position += len(delimiter)


@cache
def _quoted(delimiter: bytes) -> re.Pattern[bytes]:
    return re.compile(rb'"((?:[^"]|"")*+)"(?=' + re.escape(delimiter) + rb"|\Z)")


def _next_cell(line: bytes, position: int, delimiter: bytes) -> tuple[bytes, int]:
    """(cell, position of the delimiter that ends it or of the line's end)."""
    if line[position : position + 1] != b'"':
        end = line.find(delimiter, position)
        end = len(line) if end < 0 else end
        return line[position:end], end
    found = _quoted(delimiter).match(line, position)
    if not found:
        raise MalformedLine(f"a quoted cell does not end where it should (begins at byte {position})")
    return found[1].replace(b'""', b'"'), found.end()
