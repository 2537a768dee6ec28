"""A model of a worker: whatever comes in whatever order, what it holds is never more than its budget."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.errors import MemoryBudgetError
from lepton_stream.memory.shares import LEAST_A_PARTITION, Shares, shares_of
from lepton_stream.runtime.kafka.fetch import Fetched
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.inbox import Inbox, memory_of

MiB, GiB = 1 << 20, 1 << 30
IDENTITY = Identity(1, "me")
UNDER_WAY = 2


def chunk_of(source: SourcePartition, size: int) -> Chunk:
    """One record of so many bytes, none of them there."""
    none = np.zeros(1, np.int64)
    return Chunk(source, 0, 1, none, Values(np.zeros(8, np.uint8), none, none + size), none)


class Model:
    """A partition: the real inbox, chunks on their way to it, one in hand. `held` by a gate that the inbox works."""

    def __init__(self, number: int, shares: Shares) -> None:
        self.tp, self.shares = SourcePartition("t", number), shares
        self.held = False
        self.inbox = Inbox(self.tp, self, shares.inbox_bytes)
        self.under_way: list[Chunk] = []
        self.in_hand = 0

    def pause(self, tp: SourcePartition, reason: str = "") -> None:
        self.held = True

    def resume(self, tp: SourcePartition, reason: str = "") -> None:
        self.held = False

    def fetch(self, share: float) -> None:
        if not self.held and len(self.under_way) < UNDER_WAY:
            most = self.shares.chunk_bytes - 64  # its one record's own memory
            self.under_way.append(chunk_of(self.tp, max(1, int(share * most))))

    def deliver(self) -> None:
        if self.under_way:
            self.inbox.put(Fetched(self.under_way.pop(0), IDENTITY, 1, 1))

    def take(self) -> bool:
        taken = self.inbox.take(self.shares.claim_bytes)
        self.in_hand = sum(map(memory_of, taken))
        return bool(taken)

    @property
    def bytes(self) -> int:
        return self.inbox.bytes + self.in_hand + sum(map(memory_of, self.under_way)) + self.shares.fetch_bytes


STEPS = st.lists(
    st.tuples(st.sampled_from(["fetch", "deliver", "take", "grow"]), st.integers(0, 11), st.floats(0, 1)), max_size=300
)


@settings(max_examples=200)
@given(st.integers(64, 4096), st.integers(1, 12), STEPS)
def test_state_up_to_its_share_and_all_that_waits_stay_within_the_budget(
    mebibytes: int, partitions: int, steps: list[tuple[str, int, float]]
) -> None:
    budget = mebibytes * MiB
    shares, state = shares_of(budget, partitions), 0
    models = [Model(n, shares) for n in range(partitions)]
    for what, number, share in steps:
        one = models[number % partitions]
        if what == "fetch":
            one.fetch(share)
        elif what == "deliver":
            one.deliver()
        elif what == "take":
            one.take()
        else:
            state = min(state + int(share * shares.state_bytes), shares.state_bytes)
        assert state + sum(m.bytes for m in models) <= budget


@given(st.integers(64, 4096), st.integers(1, 32))
def test_state_and_every_partition_at_its_most_together_fit_into_the_budget(mebibytes: int, partitions: int) -> None:
    shares = shares_of(mebibytes * MiB, partitions)
    assert shares.state_bytes + partitions * shares.most_waiting <= mebibytes * MiB


@given(st.integers(64, 4096), st.integers(1, 32), st.floats(0.01, 1))
def test_a_partition_filled_as_far_as_it_goes_holds_no_more_than_its_most(
    mebibytes: int, partitions: int, share: float
) -> None:
    shares = shares_of(mebibytes * MiB, partitions)
    one = Model(0, shares)
    for _ in range(2):
        while not one.held:
            one.fetch(share)
            one.fetch(share)
            one.deliver()
        one.deliver()
        assert one.bytes <= shares.most_waiting
        one.take()  # in hand, while the inbox fills again
        while one.held:
            one.take()


@given(st.integers(64, 4096), st.integers(1, 32))
def test_a_partition_goes_on_whatever_the_others_hold(mebibytes: int, partitions: int) -> None:
    shares = shares_of(mebibytes * MiB, partitions)
    models = [Model(n, shares) for n in range(partitions)]
    for stuck in models[1:]:
        while not stuck.held:
            stuck.fetch(1.0)
            stuck.deliver()
    for _ in range(50):
        models[0].fetch(1.0)
        models[0].deliver()
        assert models[0].take()


def test_with_three_gibibytes_and_eight_partitions_nothing_is_smaller_than_without_a_budget() -> None:
    assert shares_of(3 * GiB, 8) == Shares(2304 * MiB)


def test_more_partitions_than_a_budget_can_serve_are_refused_with_what_they_need() -> None:
    shares_of(32 * LEAST_A_PARTITION, 32)
    with pytest.raises(MemoryBudgetError, match="owns 33 partitions, which need at least 2 MiB each"):
        shares_of(32 * LEAST_A_PARTITION, 33)
