"""What a worker does by what it holds: pause, checkpoint early, stop with a message that helps."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import MemoryBudgetError
from lepton_stream.memory.budget import BASE, Budget
from lepton_stream.memory.held import Held, Step, decide, refuse_too_much
from lepton_stream.memory.shares import shares_of
from lepton_stream.runtime.kafka.keeper import Keeper
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.meter import Meter
from tests.core.streams import PLAN

MiB, GiB = 1 << 20, 1 << 30
SHARES = shares_of(GiB, 8)
BYTES = st.integers(0, 2 * GiB)


def step(held: Held, resident: int = 0, *, paused: bool = False) -> Step:
    return decide(GiB, SHARES, held, resident, BASE, paused)


def test_with_room_for_all_nothing_is_to_be_done() -> None:
    assert step(Held(windows=100 * MiB, dedup=100 * MiB, buffers=200 * MiB), BASE + 500 * MiB) == Step()


@given(BYTES, BYTES, BYTES, BYTES, st.booleans())
def test_state_that_fits_is_never_over_and_is_never_held_up_with_nothing_to_work_off(
    dedup: int, windows: int, buffers: int, resident: int, paused: bool
) -> None:
    held = Held(dedup, windows, buffers)
    one = step(held, resident, paused=paused)
    assert one.over == (dedup + windows > SHARES.state_bytes)
    if not one.over:
        assert not one.pause or buffers > 0
        assert not step(held._replace(buffers=0), resident, paused=paused).pause


def test_a_process_that_holds_more_than_was_counted_pauses_until_a_tenth_is_free_again() -> None:
    held, limit = Held(buffers=MiB), BASE + GiB
    assert step(held, limit + 1) == Step(pause=True, flush=True)
    assert step(held, limit - 1, paused=True).pause
    assert not step(held, int(0.89 * limit), paused=True).pause


def test_checkpoints_come_early_when_state_is_near_its_share() -> None:
    assert step(Held(windows=int(0.9 * SHARES.state_bytes))) == Step(flush=True)


def keeper() -> Keeper:
    return Keeper(Budget(GiB, "--memory"), PLAN, Meter(), lambda: 0)


def test_too_much_state_is_seen_with_the_chunk_that_brings_it_and_gone_with_the_checkpoint_that_frees_it() -> None:
    one, tp = keeper(), SourcePartition("lepton.p.shuffle", 0)
    one.share(8)
    one.note(tp, Held(windows=700 * MiB))
    assert not one.step.over
    one.note(SourcePartition("events", 0), Held(dedup=69 * MiB))
    assert one.step == Step(pause=True, flush=True, over=True)
    one.look(0, settled=False)  # a checkpoint is due: it may help
    one.note(tp, Held(windows=100 * MiB))
    one.look(0, settled=True)
    assert one.step == Step()
    assert one.held.state == 169 * MiB


def test_what_no_checkpoint_frees_ends_the_worker_and_says_which_state_is_large_and_what_helps() -> None:
    one = keeper()
    one.share(8)
    one.note(SourcePartition("lepton.p.shuffle", 0), Held(windows=800 * MiB, cells=3_000_000))
    one.note(SourcePartition("events", 0), Held(dedup=12 * MiB, ids=400_000))
    with pytest.raises(MemoryBudgetError) as stopped:
        one.look(0, settled=True)
    told = str(stopped.value)
    for words in ("800 MiB window tables with room for 3,000,000 cells", "12 MiB dedup memory with 400,000 ids",
                  "768 MiB are for state", "--memory 2GiB", "more workers", "Nothing is lost", "lateness"):  # fmt: skip
        assert words in told
    assert stopped.value.exit_code == 9


def test_where_the_dedup_memory_is_the_larger_part_the_horizon_is_named() -> None:
    plan = replace(PLAN, dedup_memory=5_000_000)
    with pytest.raises(MemoryBudgetError, match=r"shorter dedup.memory \(now 5,000,000\)"):
        refuse_too_much(Budget(GiB, "--memory"), Held(dedup=GiB, windows=MiB), plan, 4)


def test_a_new_assignment_forgets_what_the_last_one_held() -> None:
    one = keeper()
    one.note(SourcePartition("events", 0), Held(dedup=900 * MiB))
    one.share(2)
    assert one.held == Held()
    assert not one.step.over


def test_the_gauges_are_those_of_the_catalogue() -> None:
    one = keeper()
    one.note(SourcePartition("events", 0), Held(dedup=3))
    one.look(5, settled=True)
    gauges = one.gauges("1")
    assert gauges[c.MEMORY_STATE.name] == {("1", "dedup"): 3, ("1", "windows"): 0}
    assert gauges[c.MEMORY_BUFFERS.name] == {("1",): 5}
    assert gauges[c.MEMORY_BUDGET.name] == {("1",): GiB}
