"""The durable account: what the last checkpoints say, read without owning anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from lepton_stream import core
from lepton_stream.account import Account
from lepton_stream.core import Job, PartitionState
from lepton_stream.protocol.metadata import Pointer
from lepton_stream.protocol.parts import chain

ReadState = Callable[[int, int, int], Awaitable[list[tuple[int, bytes]]]]
"""(shuffle partition, first, last) -> records of its state log."""


@dataclass(slots=True)
class Totals:
    """`accounts` by source partition; `results` and `events`: published in all."""

    accounts: dict[int, Account] = field(default_factory=dict)
    results: int = 0
    events: int = 0


async def stored_totals(job: Job, pointers: Mapping[int, Pointer], read_state: ReadState) -> Totals:
    """The account since the pipeline's first record, of all shuffle partitions together."""
    totals = Totals()
    for p, pointer in pointers.items():
        if pointer.first < 0:
            continue
        records = await read_state(p, pointer.first, pointer.last)
        stored = chain(records, pointer.first, pointer.first, f"state partition {p}")
        state = PartitionState.empty(job, {})
        core.apply(job, state, stored[-1].delta)
        for s, account in state.account.items():
            totals.accounts.setdefault(s, Account()).add(account)
        totals.results += state.published
        totals.events += state.events.total()
    return totals
