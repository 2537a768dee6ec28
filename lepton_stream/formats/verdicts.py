"""Which records of a chunk must go, and why: the first reason that is found stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from lepton_stream.columns import Columns, Mask, take_all
from lepton_stream.formats.decoder import Decoded, Reason, Reject


class Verdicts:
    """Collects reasons for the m decoded records, and the counts of mended values."""

    def __init__(self, n: int) -> None:
        self._code = np.zeros(n, np.int64)  # 0: stays; k: goes for the k-th reason told; -1: goes without a word
        self._told: list[tuple[Reason, str]] = []
        self._mended: list[tuple[str, Mask]] = []

    def reject(self, rows: Mask, reason: Reason, detail: str) -> None:
        """These records go, unless an earlier reason has them already."""
        self._told.append((reason, detail))
        self._code[rows & (self._code == 0)] = len(self._told)

    def drop(self, rows: Mask) -> None:
        """These records go too; somebody else has told why."""
        self._code[rows] = -1

    def mend(self, rows: Mask, rule: str) -> None:
        """A value was mended in these records; it counts if the record stays in the end."""
        self._mended.append((rule, rows))

    def apply(self, decoded: Decoded, columns: Columns) -> Decoded:
        """The records that stay, with `columns` (m long) for theirs; the others join the rejects."""
        stays = self._code == 0
        mended: Counter[str] = Counter(decoded.mended)
        for rule, rows in self._mended:
            mended[rule] += int(np.count_nonzero(rows & stays))
        counts: Mapping[str, int] = +mended
        if stays.all():
            return Decoded(decoded.rows, columns, decoded.rejects, dict(counts))
        gone = np.flatnonzero(self._code > 0)
        pairs = zip(decoded.rows[gone].tolist(), self._code[gone].tolist(), strict=True)
        rejects = [*decoded.rejects, *(Reject(row, *self._told[code - 1]) for row, code in pairs)]
        rejects.sort(key=lambda r: r.row)
        return Decoded(decoded.rows[stays], take_all(columns, stays), rejects, dict(counts))
