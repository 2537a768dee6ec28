"""Rows that wait for the watermark: pieces as they came, taken out in order of event time, source and offset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lepton_stream.columns import Columns, Index, Mask, Text, concat, lean, take_all, weight
from lepton_stream.windows.watermark import NEVER


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """n rows of a model section: key fields and the scored field, event time, source partition, offset."""

    columns: Columns
    time: Index
    source: Index
    offset: Index

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: Index | Mask | slice) -> Piece:
        """These rows; text shares its buffer."""
        return Piece(take_all(self.columns, rows), self.time[rows], self.source[rows], self.offset[rows])

    def packed(self) -> Piece:
        """The same with text in lean buffers: a few rows must not keep a whole chunk's bytes alive."""
        columns = {name: lean(c) if isinstance(c, Text) else c for name, c in self.columns.items()}
        return Piece(columns, self.time, self.source, self.offset)

    @property
    def bytes(self) -> int:
        """Memory in use."""
        return sum(map(weight, self.columns.values())) + 3 * self.time.nbytes


def joined(pieces: Sequence[Piece]) -> Piece:
    """One after the other; at least one."""
    columns = {name: concat([p.columns[name] for p in pieces]) for name in pieces[0].columns}
    time, source, offset = (np.concatenate([getattr(p, name) for p in pieces]) for name in ("time", "source", "offset"))
    return Piece(columns, time, source, offset)


class Waiting:
    """`fresh`: what came since the last checkpoint, for its delta."""

    def __init__(self) -> None:
        self._pieces: list[tuple[int, Piece]] = []  # with the earliest time in each
        self.fresh: list[Piece] = []
        self.count = 0
        self.bytes = 0

    def add(self, piece: Piece) -> None:
        """Rows that came."""
        if len(piece):
            piece = piece.packed()
            self.fresh.append(piece)
            self._hold(piece)

    def _hold(self, piece: Piece) -> None:
        self._pieces.append((int(piece.time.min()), piece))
        self.count += len(piece)
        self.bytes += piece.bytes

    @property
    def earliest(self) -> int | None:
        """The first event time among the rows, None without rows."""
        return min((earliest for earliest, _ in self._pieces), default=None)

    @property
    def latest(self) -> int:
        """The last event time among the rows; NEVER without rows."""
        return max((int(piece.time.max()) for _, piece in self._pieces), default=NEVER)

    def take(self, mark: int, most: int | None = None) -> tuple[Piece | None, int]:
        """(rows with an event time before `mark`, in order; the mark up to which they are all).

        `most`: so many rows at most, but for those of equal time with the last one.
        """
        due = [piece for earliest, piece in self._pieces if earliest < mark]
        if not due:
            return None, mark
        if most is not None:
            times = np.concatenate([piece.time[piece.time < mark] for piece in due])
            if len(times) > most:
                mark = int(np.partition(times, most - 1)[most - 1]) + 1
        out = self._drop_before(mark)
        whole = joined(out)
        if bool((whole.time[1:] > whole.time[:-1]).all()):  # as a source in good order has them
            return whole, mark
        return whole.take(np.lexsort((whole.offset, whole.source, whole.time))), mark

    def _drop_before(self, mark: int) -> list[Piece]:
        """Rows leave; those that did."""
        pieces, out = self._pieces, []
        self._pieces, self.count, self.bytes = [], 0, 0
        for earliest, piece in pieces:
            if earliest >= mark:
                self._hold(piece)
                continue
            gone = piece.time < mark
            out.append(piece.take(gone))
            if not gone.all():
                self._hold(piece.take(~gone).packed())
        return out

    def whole(self) -> list[Piece]:
        """All rows that wait."""
        return [piece for _, piece in self._pieces]

    def restore(self, piece: Piece | None, mark: int, *, anew: bool) -> None:
        """Move on by what a checkpoint tells: rows that came (`anew`: instead of all), those before `mark` left."""
        if anew:
            self._pieces, self.count, self.bytes = [], 0, 0
        if piece is not None and len(piece):
            self._hold(piece)
        self._drop_before(mark)
        self.fresh = []
