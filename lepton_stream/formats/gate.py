"""What is judged before any format looks at a record: is there a value, is it small enough, is it UTF-8."""

from __future__ import annotations

import numpy as np

from lepton_stream.chunk import Values
from lepton_stream.columns import Index, Mask, Octets
from lepton_stream.formats.decoder import Reason, Reject

_ASCII_END = 0x80


def sift(values: Values, max_bytes: int) -> tuple[Mask, list[Reject]]:
    """bool[n]: which records may be decoded; and one reject for each of the others, by row."""
    data, start, length = values.spans()
    passed = (length >= 0) & (length <= max_bytes)
    rejects = [_too_large_or_null(row, int(length[row]), max_bytes) for row in np.flatnonzero(~passed).tolist()]
    if not _all_utf8(data, start):
        rejects += _not_utf8(values, passed)
        rejects.sort(key=lambda r: r.row)
    return passed, rejects


def _too_large_or_null(row: int, length: int, max_bytes: int) -> Reject:
    if length < 0:
        return Reject(row, Reason.NULL_VALUE, "the record has no value")
    return Reject(row, Reason.TOO_LARGE, f"expected at most {max_bytes} bytes")


def _all_utf8(data: Octets, start: Index) -> bool:
    """True only if each record alone is UTF-8: the buffer is, and no record begins inside a character."""
    if data.max(initial=0) < _ASCII_END:
        return True
    try:
        str(data.data, "utf-8")
    except UnicodeDecodeError:
        return False
    first = data[start]
    return not bool(((first & 0xC0) == 0x80).any())


def _not_utf8(values: Values, passed: Mask) -> list[Reject]:
    """Check record by record, clear the bad ones in `passed` and name them."""
    rejects = []
    for row in np.flatnonzero(passed).tolist():
        try:
            (values[row] or b"").decode()
        except UnicodeDecodeError as error:
            passed[row] = False
            rejects.append(Reject(row, Reason.DECODE_ERROR, f"not UTF-8 (byte {error.start})"))
    return rejects
