"""A byte stream to blocks of whole lines, in bounded memory however long a line is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lepton_stream.chunk import Values
from lepton_stream.columns import PADDING, Index, Octets

_NEWLINE = ord("\n")


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines without their newline; `long`: place in the block and true length of each line that was cut."""

    values: Values
    long: dict[int, int]


class LineCutter:
    """Takes a stream buffer by buffer; gives whole lines, each cut after `keep` bytes.

    A last line without newline is a line; nothing after the last newline is none; an empty line is one.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._carry = b""  # the first `keep` bytes of the line that has not ended yet
        self._carried = 0  # its length so far

    def room(self, size: int) -> tuple[Octets, int]:
        """(a buffer with so many bytes to be filled, where they begin: what is before them is the cutter's own)."""
        first = len(self._carry)
        buffer = np.empty(first + size + PADDING, np.uint8)
        buffer[:first] = np.frombuffer(self._carry, np.uint8)
        return buffer, first

    def cut(self, buffer: Octets, filled: int) -> Block | None:
        """The lines that end in buffer[:filled], None if none does. The buffer is of `room`, and now the block's."""
        hidden = self._carried - len(self._carry)
        ends = np.flatnonzero(buffer[:filled] == _NEWLINE)
        if not len(ends):
            self._keep_on(buffer[:filled], filled + hidden)
            return None
        end = int(ends[-1]) + 1
        self._keep_on(buffer[end:filled], filled - end)
        data = buffer[: end + PADDING]
        if len(data) < len(buffer) // 2:  # a small block must not hold a large buffer
            data = data.copy()
        data[end:] = 0
        return self._block(data, ends, hidden)

    def finish(self) -> Block | None:
        """The last line, if no newline ended it."""
        if not self._carried:
            return None
        buffer, first = self.room(1)
        buffer[first] = _NEWLINE
        return self.cut(buffer, first + 1)

    def _keep_on(self, line: Octets, length: int) -> None:
        self._carry, self._carried = line[: self._keep].tobytes(), length

    def _block(self, data: Octets, ends: Index, hidden: int) -> Block:
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
