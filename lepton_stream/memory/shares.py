"""How a budget is shared out: three quarters for state, a quarter for what waits, by partition.

The shares do not move while state grows. So the sum never exceeds the budget, and no partition waits for room that
another one holds: a source that is ahead could otherwise keep out the slow one that all others wait for.
"""

from __future__ import annotations

from dataclasses import dataclass

from lepton_stream.errors import MemoryBudgetError
from lepton_stream.memory.budget import about

KiB, MiB = 1 << 10, 1 << 20
LEAST_A_PARTITION = 2 * MiB
"""Of the budget, so that a quarter of it holds the smallest inbox and the chunks on the way to it."""
_CHUNK, _CLAIM, _INBOX, _FETCH, _FOLDED = 8 * MiB, 12 * MiB, 16 * MiB, 2 * MiB, 64 * MiB
_CELL = 1 * KiB  # of a cell whose result is published: columns, JSON, a record, and its delta
_CELLS = 50_000


@dataclass(frozen=True, slots=True)
class Shares:
    """Bytes of one partition, but for `state_bytes`, which is for all state of the worker together.

    `fetch_bytes`: compressed, of one fetch. `chunk_bytes`: raw values after which a chunk ends. `inbox_bytes`: chunks
    that wait before the partition is paused. `claim_bytes`: records worked on at once. `folded_bytes`: frames
    between two checkpoints. `closed_at_once`: cells whose results one checkpoint publishes.
    """

    state_bytes: int
    fetch_bytes: int = _FETCH
    chunk_bytes: int = _CHUNK
    inbox_bytes: int = _INBOX
    claim_bytes: int = _CLAIM
    folded_bytes: int = _FOLDED
    closed_at_once: int = _CELLS

    @property
    def most_waiting(self) -> int:
        """Of one partition: a full inbox, two chunks that were on their way to it, one fetch, and what is worked on."""
        return self.inbox_bytes + 2 * self.chunk_bytes + self.fetch_bytes + self.claim_bytes


def shares_of(budget: int, partitions: int) -> Shares:
    """Shares of a worker that owns so many partitions. Raises MemoryBudgetError where the budget is too small for them.

    With 3 GiB and eight partitions nothing is smaller than without a budget.
    """
    if budget < LEAST_A_PARTITION * partitions:
        raise MemoryBudgetError(
            f"memory is {about(budget)}, and this worker owns {partitions} partitions, which need at least "
            f"{about(LEAST_A_PARTITION)} each: give it more (--memory), or start more workers. Nothing is lost"
        )
    waiting = budget // 4
    each = waiting // max(partitions, 1)
    return Shares(
        state_bytes=budget - waiting,
        fetch_bytes=min(each // 16, _FETCH),
        chunk_bytes=min(each // 8, _CHUNK),
        inbox_bytes=min(each // 2, _INBOX),
        claim_bytes=min(each // 8, _CLAIM),
        folded_bytes=min(each, _FOLDED),
        closed_at_once=min(max(each // _CELL, 500), _CELLS),
    )
