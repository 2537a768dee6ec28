"""How much memory a worker takes: as asked for, by the first who asks, else a share, and always with its reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.errors import PlanError, UsageError
from lepton_stream.memory.budget import BASE, Room, budget_of
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.plan_hash import plan_hash
from lepton_stream.pipeline.to_toml import to_toml
from lepton_stream.pipeline.toml_front import parse

MiB, GiB = 1 << 20, 1 << 30
MACHINE = Room(16 * GiB, "the machine", ours=False)
GROUP = Room(4 * GiB, "the control group", ours=True)


def test_the_first_who_asks_is_heard_and_told() -> None:
    found = budget_of([("--memory", None), ("$LEPTON__MEMORY", "2GiB"), ("the plan's memory", GiB)], MACHINE)
    assert (found.bytes, found.why) == (2 * GiB, "$LEPTON__MEMORY")


def test_unasked_workers_share_half_a_machine_or_three_quarters_of_what_is_ours() -> None:
    assert budget_of([], MACHINE).bytes == 8 * GiB - BASE
    assert budget_of([], MACHINE, 2).bytes == 4 * GiB - BASE
    assert budget_of([], GROUP).bytes == 3 * GiB - BASE
    assert "the control group's 4 GiB" in str(budget_of([], GROUP))


@given(st.integers(1, 2**40), st.booleans(), st.integers(1, 100))
def test_all_workers_with_their_programs_fit_into_the_room_unless_it_is_below_the_least(
    size: int, ours: bool, workers: int
) -> None:
    found = budget_of([], Room(size, "the machine", ours), workers)
    assert workers * (found.bytes + BASE) <= size or found.bytes == 64 * MiB


@pytest.mark.parametrize("text", ["", "1", "lots", "63MiB", "-1GiB", "0.5B", "9999999GiB"])
def test_what_is_no_size_is_refused_with_key_value_and_wish(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        budget_of([("--memory", text)], MACHINE)
    assert f"--memory is {text!r}: expects a size" in str(refused.value)
    assert "64 MiB" in str(refused.value)


def pipeline() -> Pipeline:
    return Pipeline("p").source("t", time="at", key="k").field("k", str).window("w", size="1m", n="count()")


def test_the_plan_may_say_it_and_counts_the_same_with_any() -> None:
    plan = pipeline().memory("1GiB").plan
    assert plan.memory == GiB
    assert parse(to_toml(plan), "") == plan
    assert plan_hash(plan) == plan_hash(pipeline().plan)


def test_a_plan_with_too_little_is_refused() -> None:
    with pytest.raises(PlanError, match="memory"):
        _ = pipeline().memory("1MiB").plan
