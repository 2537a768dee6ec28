"""The account of what was handed to the agents: half-open offset intervals that follow each other without a gap."""

from __future__ import annotations

from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import IntegrityError


class Ledger:
    """Per partition the offset that the next chunk must start at, since the last explicit start.

    Positions move contiguously, so transaction markers and compaction holes lie inside the intervals and no gap is
    ever right.
    """

    def __init__(self) -> None:
        self._expected: dict[SourcePartition, tuple[int, int]] = {}

    def begin(self, tp: SourcePartition, epoch: int, offset: int) -> None:
        """The partition starts at this offset; chunks of an earlier epoch are old from now on."""
        self._expected[tp] = (epoch, offset)

    def forget(self) -> None:
        """Nothing is owned any more."""
        self._expected.clear()

    def accept(self, tp: SourcePartition, epoch: int, start: int, end: int) -> bool:
        """Book [start, end). False for a chunk of an earlier epoch. Raises IntegrityError for a hole or an overlap."""
        current = self._expected.get(tp)
        if current is None or current[0] != epoch:
            return False
        if start != current[1] or end < start:
            raise IntegrityError(
                f"{tp.topic} partition {tp.partition}: offsets {start} to {end} came where {current[1]} was due. "
                "This is a defect of the transport: nothing of it was counted; restart and report it"
            )
        self._expected[tp] = (epoch, end)
        return True
