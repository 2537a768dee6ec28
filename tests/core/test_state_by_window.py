"""Results are counted by window section in the state, so that a metric goes on; older state is read too."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from lepton_stream import wire
from lepton_stream.core import Job, PartitionState, SourceState, apply, durable_checkpoint, fold, heartbeat, prepare
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.plan import Plan
from lepton_stream.protocol.kept import kept_of
from tests.core.streams import PLAN, chunk, new_job, record

ONE: Plan = (
    Pipeline("one")
    .source("streams.v1", time="t", key="device", id=["device", "id"])
    .field("t", "float")
    .field("device", "str")
    .field("id", "int")
    .window("ten", size="10s", results={"n": "count()"})
    .plan
)


def ended(plan: Plan) -> tuple[Job, PartitionState, bytes]:
    """A state whose windows have all closed, and its delta."""
    job = new_job(plan)
    state = PartitionState.empty(job, {0: 0})
    given = chunk(0, [record(float(t), number=t) for t in range(0, 100, 5)])
    for frame in prepare(job, SourceState(job), given).frames:
        fold(job, state, frame)
    fold(job, state, heartbeat(job, 0, given.end, 0, ended=True)[0])
    return job, state, durable_checkpoint(job, state, None).delta


def older(delta: bytes) -> bytes:
    """As a build wrote it that knew the sum alone."""
    meta, arrays = wire.load(delta)
    del meta["by_window"]
    return wire.dump(meta, arrays)


def read(job: Job, delta: bytes) -> PartitionState:
    state = PartitionState.empty(job, {0: 0})
    apply(job, state, delta)
    return state


def test_a_new_owner_counts_on_for_each_window() -> None:
    job, state, delta = ended(PLAN)
    assert set(state.by_window) == {"ten", "seven", "minute"}
    assert state.by_window.total() == state.published > 0
    assert read(job, delta).by_window == state.by_window


@pytest.mark.parametrize(("plan", "known"), [(ONE, True), (PLAN, False)], ids=["one window", "several"])
def test_state_of_an_older_build_is_read_and_tells_what_it_knows(plan: Plan, known: bool) -> None:
    job, state, delta = ended(plan)
    before = read(job, older(delta))
    assert before.published == state.published
    assert before.by_window == (state.by_window if known else Counter())


def test_what_is_kept_stays_as_it_was_while_the_state_moves_on() -> None:
    _, state, _ = ended(ONE)
    kept: Any = kept_of(state)
    read_then = kept.accounts[0]["read"]
    state.account[0].read += 1
    state.by_window["ten"] += 1
    assert kept.accounts[0]["read"] == read_then
    assert kept.results["ten"] == state.by_window["ten"] - 1
