"""What an owner says of a log that does not hold all it should, and what it tells again after a takeover."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import pytest

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.core import Job, Prepared
from lepton_stream.errors import IntegrityError
from lepton_stream.protocol.merger import Merger
from lepton_stream.protocol.metadata import Claim, Pointer, claim_of, to_text
from lepton_stream.protocol.ports import Position
from lepton_stream.protocol.preparer import Preparer
from lepton_stream.shuffle.frame import decode
from tests.protocol.defects import NONE
from tests.protocol.outside import WorldMergePort
from tests.protocol.records import job_of, log_of, plan_of
from tests.protocol.world import Identity, Life, World

SOURCE = SourcePartition("events", 0)


class Notes:
    """A source port that notes in which order things happened."""

    def __init__(self) -> None:
        self.done: list[tuple[str, Any]] = []

    async def commit(self, offset: int, metadata: str) -> None:
        self.done.append(("commit", claim_of(metadata, "test")))

    async def send(self, frames: Sequence[bytes]) -> None:
        self.done.append(("send", decode(frames[0])))

    async def set_aside(self, chunk: Chunk, prepared: Prepared) -> None:
        return

    async def admitted(self, high: int) -> None:
        return


def some_job() -> Job:
    return job_of(plan_of(Random(1)), 1, "rows")


def finish(steps: Any) -> None:
    """Run a coroutine that waits for nothing."""
    with pytest.raises(StopIteration):
        steps.send(None)


def preparer_at(job: Job, claim: Claim, log_start: int) -> tuple[Preparer, Notes]:
    notes = Notes()
    preparer = Preparer(job, SOURCE, notes)
    preparer.begin(Position(50, to_text(claim), log_start, 50))
    return preparer, notes


def test_chunk_out_of_order_and_metadata_of_another_build_tell_what_to_do() -> None:
    job = some_job()
    preparer, _ = preparer_at(job, Claim(job.plan_hash, since=50), 50)
    values, at = Values.from_list([b"{}"]), np.array([60])
    with pytest.raises(IntegrityError, match=r"events partition 0: expected offset 50, got \[60, 61\).*run again"):
        finish(preparer.take(Chunk(SOURCE, 60, 61, at, values, at)))
    with pytest.raises(
        IntegrityError, match=r"test: commit metadata of version 9.*finish with the build that wrote it"
    ):
        claim_of(to_text(Claim(job.plan_hash, v=9)), "test")


def test_what_retention_took_from_the_dedup_memory_is_counted() -> None:
    job = some_job()
    memory = job.plan.dedup_memory
    preparer, _ = preparer_at(job, Claim(job.plan_hash), 50 - memory + 3)
    assert preparer.forgotten == 3


def test_a_memory_that_the_log_never_filled_lacks_nothing() -> None:
    job = some_job()
    preparer, _ = preparer_at(job, Claim(job.plan_hash, since=48), 48)
    assert preparer.forgotten == 0


def test_idleness_claimed_by_an_owner_before_us_is_told_again() -> None:
    job = some_job()
    preparer, notes = preparer_at(job, Claim(job.plan_hash, idle=9_000_000, since=50), 50)
    finish(preparer.quiet(8_000_000))
    assert [(what, said.idle) for what, said in notes.done] == [("commit", 9_000_000), ("send", 9_000_000)]
    finish(preparer.quiet(9_000_000))
    assert len(notes.done) == 2


def test_trimmed_shuffle_without_a_position_is_refused() -> None:
    world = World(Random(1), [log_of(Random(1), 9)], 1, NONE.flaws)
    port = WorldMergePort(world, Life(("p", 0), Identity(0, "w"), 0))
    merger = Merger(some_job(), SourcePartition("shuffle", 0), port, 1, "i")
    with pytest.raises(IntegrityError, match="expired"):
        merger.begin(Position(None, None, 7, 9)).send(None)


class TrimmedPort(WorldMergePort):
    """The state is not there; the commits after the first are refused to whoever is not the owner any more."""

    def __init__(self, job: Job, *, replaced: bool) -> None:
        world = World(Random(1), [log_of(Random(1), 9)], 1, NONE.flaws)
        super().__init__(world, Life(("p", 0), Identity(0, "w"), 0))
        self.replaced, self.commits = replaced, 0

    async def take_epoch(self) -> None:
        return

    async def commit(self, offset: int, metadata: str) -> None:
        self.commits += 1
        if self.replaced and self.commits > 1:
            raise TimeoutError("the group has moved on")

    async def read_state(self, first: int, last: int) -> list[tuple[int, bytes]]:
        raise IntegrityError(f"offset {first} is not in the log")


@pytest.mark.parametrize(("replaced", "told"), [(True, TimeoutError), (False, IntegrityError)])
def test_state_trimmed_under_a_replaced_owner_is_no_damage_but_the_owners_end(
    replaced: bool, told: type[Exception]
) -> None:
    job = some_job()
    merger = Merger(job, SourcePartition("shuffle", 0), TrimmedPort(job, replaced=replaced), 1, "i")
    with pytest.raises(told):
        merger.begin(Position(5, to_text(Pointer(job.plan_hash, 3, 3, 2, 4)), 0, 9)).send(None)
