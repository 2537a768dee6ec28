"""Many CSV lines to columns of cells, in C as long as nothing but simply quoted cells is special."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import compress

import numpy as np

from lepton_stream.columns import Mask
from lepton_stream.formats.csv_lines import MalformedLine, split_line

Cells = list[Sequence[bytes]]


def split_table(lines: Sequence[bytes], delimiter: bytes, width: int) -> tuple[Mask, Cells, dict[int, str]]:
    """(bool[n] which lines have `width` cells, their cells column by column, what is wrong with each other line).

    `lines` have no line end. Every line is judged as `split_line` would.
    """
    plain = _without_simple_quotes(lines, delimiter)
    text = b"\n".join([*plain, b""])
    special = b'"' in text or b"\r" in text or b"" in plain or text.count(b"\n") != len(plain)
    if special or len(delimiter) != 1:
        return _one_by_one(lines, plain, delimiter, width)
    return _all_at_once(text, plain, delimiter, width)


def _all_at_once(
    text: bytes, lines: Sequence[bytes], delimiter: bytes, width: int
) -> tuple[Mask, Cells, dict[int, str]]:
    """One split for all lines: a list a line would cost more than everything else. `text`: each line with newline."""
    view = np.frombuffer(text, np.uint8)
    separators = view[(view == ord(delimiter)) | (view == ord("\n"))]
    widths = np.diff(np.flatnonzero(separators == ord("\n")), prepend=-1)
    fits = widths == width
    if not fits.all():
        text = b"\n".join([*compress(lines, fits.tolist()), b""])
    cells = text.replace(b"\n", delimiter).split(delimiter)[:-1]
    errors = {int(at): _wrong_width(width, int(widths[at])) for at in np.flatnonzero(~fits)}
    return fits, [cells[i::width] for i in range(width)], errors


def _one_by_one(
    lines: Sequence[bytes], plain: Sequence[bytes], delimiter: bytes, width: int
) -> tuple[Mask, Cells, dict[int, str]]:
    rows: list[list[bytes]] = []
    errors: dict[int, str] = {}
    for at, (line, simple) in enumerate(zip(lines, plain, strict=True)):
        try:
            special = b'"' in simple or not simple
            cells = split_line(line if special else simple, delimiter)
        except MalformedLine as error:
            errors[at] = str(error)
            continue
        if len(cells) == width:
            rows.append(cells)
        else:
            errors[at] = _wrong_width(width, len(cells))
    fits = np.ones(len(lines), np.bool_)
    fits[list(errors)] = False
    return fits, list(zip(*rows, strict=True)) or [()] * width, errors


def _wrong_width(width: int, got: int) -> str:
    return f"expected {width} columns, got {got}"


def _without_simple_quotes(lines: Sequence[bytes], delimiter: bytes) -> Sequence[bytes]:
    """The lines with quotes dropped around cells that hold neither quote nor delimiter.

    Correct for every line that has no quote left: up to the first cell that is quoted in another way each delimiter
    ends a cell, and that cell's opening quote stays.
    """
    text = b"\n".join([b"", *lines, b""])
    if b'"' not in text or len(delimiter) != 1:
        return lines
    plain = _simply_quoted(delimiter).sub(rb"\1", text).split(b"\n")[1:-1]
    return plain if len(plain) == len(lines) else lines  # else there is a line break inside some record


@cache
def _simply_quoted(delimiter: bytes) -> re.Pattern[bytes]:
    edge = rb"[\n" + re.escape(delimiter) + rb"]"
    inside = rb'[^"\r\n' + re.escape(delimiter) + rb"]"
    # The quote stands first, and only then a look behind it, so that the search can jump from quote to quote.
    return re.compile(rb'"(?<=' + edge + rb'")(' + inside + rb'*)"(?=' + edge + rb")")
