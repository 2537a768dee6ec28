"""A byte stream to blocks of whole lines, in bounded memory however long a line is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lepton_stream.chunk import Values
from lepton_stream.columns import PADDING


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines without their newline; `long`: place in the block and true length of each line that was cut."""

    values: Values
    long: dict[int, int]


class LineCutter:
    """Takes a stream piece by piece; gives whole lines, each cut after `keep` bytes.

    A last line without newline is a line; nothing after the last newline is none; an empty line is one.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._carry = b""  # the first `keep` bytes of the line that has not ended yet
        self._carried = 0  # its length so far

    def feed(self, piece: bytes) -> Block | None:
        """The lines that end in this piece, None if none does."""
        end = piece.rfind(b"\n") + 1
        carry, hidden = self._carry, self._carried - len(self._carry)
        if not end:
            self._keep_on(carry, self._carried, piece)
            return None
        self._keep_on(b"", 0, piece[end:])
        return self._block(b"".join([carry, piece[:end], bytes(PADDING)]), hidden)

    def finish(self) -> Block | None:
        """The last line, if no newline ended it."""
        return self.feed(b"\n") if self._carried else None

    def _keep_on(self, carry: bytes, carried: int, more: bytes) -> None:
        self._carry = carry + more[: self._keep - len(carry)]
        self._carried = carried + len(more)

    def _block(self, data: bytes, hidden: int) -> Block:
        ends = np.flatnonzero(np.frombuffer(data, np.uint8, len(data) - PADDING) == ord("\n"))
        start = np.zeros(len(ends), np.int64)
        start[1:] = ends[:-1] + 1
        length = ends - start
        long = {int(i): int(length[i]) for i in np.flatnonzero(length > self._keep)}
        if hidden:
            long[0] = int(length[0]) + hidden
        return Block(Values(data, start, np.minimum(length, self._keep)), long)


def first_line(pieces: Iterator[bytes], limit: int) -> tuple[bytes, bytes]:
    """(the first line with its newline, what was read beyond it). Stops after about `limit` bytes without a newline."""
    head = b""
    for piece in pieces:
        head += piece
        if b"\n" in piece or len(head) > limit:
            break
    end = head.find(b"\n") + 1 or len(head)
    return head[:end], head[end:]
