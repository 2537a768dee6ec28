"""A column of cells to typed values. Each distinct text is judged once; repeated cells cost one dict look-up.

Numbers are written as in JSON, with or without sign, leading zeros, or digits on one side of the point (`+3`, `0071`,
`.5`, `5.`). No `nan`, `inf`, underscores, hexadecimal or blanks around. Booleans: true, false, 1, 0 in any case.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

import numpy as np

from lepton_stream.columns import Column, Mask, Numbers, text_from_bytes
from lepton_stream.formats.mending import DTYPES, INT_MAX, INT_MIN
from lepton_stream.pipeline.plan import FieldType

GOOD, NULL, WRONG, OUT_OF_RANGE = range(4)

_FLOAT = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INT = re.compile(rb"[+-]?[0-9]+")
_BOOLS = {b"true": True, b"1": True, b"false": False, b"0": False}
_INT_DIGITS = 19
_REMEMBERED = 1 << 16

_Judged = tuple[float | int | bool, int]


def _float(cell: bytes) -> _Judged:
    if not _FLOAT.fullmatch(cell):
        return 0.0, WRONG
    value = float(cell)
    return (value, GOOD) if math.isfinite(value) else (0.0, WRONG)


def _int(cell: bytes) -> _Judged:
    if not _INT.fullmatch(cell):
        return 0, WRONG
    if len(cell.lstrip(b"+-0")) > _INT_DIGITS:
        return 0, OUT_OF_RANGE
    value = int(cell[:1] + cell[1:].lstrip(b"0") if len(cell) > _INT_DIGITS + 1 else cell)
    return (value, GOOD) if INT_MIN <= value <= INT_MAX else (0, OUT_OF_RANGE)


def _bool(cell: bytes) -> _Judged:
    value = _BOOLS.get(cell.lower())
    return (False, WRONG) if value is None else (value, GOOD)


_JUDGES: dict[str, Callable[[bytes], _Judged]] = {"float": _float, "int": _int, "bool": _bool}


class _Known(dict[bytes, int]):
    """Cell text to its place in `results` and `statuses`, judged when first seen."""

    def __init__(self, kind: FieldType, nulls: frozenset[bytes]) -> None:
        super().__init__()
        self._judge, self._nulls = _JUDGES[kind], nulls
        self.results: list[float | int | bool] = []
        self.statuses: list[int] = []

    def __missing__(self, cell: bytes) -> int:
        value, status = (0, NULL) if cell in self._nulls else self._judge(cell)
        self[cell] = place = len(self.results)
        self.results.append(value)
        self.statuses.append(status)
        return place


class CellReader:
    """Reads the cells of one column. What it remembers between calls changes no result."""

    def __init__(self, kind: FieldType, nulls: frozenset[bytes]) -> None:
        self._kind: FieldType = kind
        self._nulls = nulls
        self._known: _Known | None = None

    def read(self, cells: Sequence[bytes]) -> tuple[Column, Mask | None, Mask | None]:
        """(column with nulls and bad cells missing, which are of the wrong type, which are outside int64).

        A mask is None where no cell is.
        """
        if self._kind == "str":
            return text_from_bytes([None if c in self._nulls else c for c in cells]), None, None
        if self._known is None or len(self._known) > _REMEMBERED:
            self._known = _Known(self._kind, self._nulls)
        known = self._known
        place = np.fromiter(map(known.__getitem__, cells), np.int64, len(cells))
        values = np.array(known.results, DTYPES[self._kind])[place]
        if not any(known.statuses):
            return Numbers(values), None, None
        status = np.array(known.statuses, np.int8)[place]
        good = status == GOOD
        if good.all():
            return Numbers(values), None, None
        return Numbers(values, good), _some(status == WRONG), _some(status == OUT_OF_RANGE)


def _some(mask: Mask) -> Mask | None:
    return mask if mask.any() else None
