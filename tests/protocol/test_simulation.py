"""The counting protocol under faults: a thousand seeds keep the promise, and every planted defect is found."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.protocol.defects import DEFECTS, NONE
from tests.protocol.oracle import judge
from tests.protocol.quick import quick_fingerprints
from tests.protocol.simulate import Simulation, first_failure, run_counting
from tests.protocol.world import Violation

SEEDS = 1000
ENOUGH = 300  # seeds within which a defect is found; the slowest takes some 90
LISTED = {
    "generation_only",
    "restamped_retry",
    "faust_commit",
    "last_record_wins",
    "late_at_merge",
    "late_on_the_edge",
    "first_occurrence",
    "float_ids",
    "no_claim",
    "high_not_in_claim",
    "idle_unclaimed",
    "reset_to_earliest",
    "ignored_send_failure",
    "letters_after_commit",
    "outputs_not_in_state",
    "drop_on_from",
    "less_for_at_most",
    "no_range_check",
    "wall_clock_close",
    "pointer_before_state",
    "pointer_before_publish_ack",
    "publish_before_pointer",
    "fence_before_proof",
    "trim_too_far",
}
"""What docs of the protocol name; a defect that nobody looks for would be a hole."""

RARE = {
    "claimed range rebuilt",
    "checkpoint in several parts",
    "idle",
    "late result refused",
    "lost on its way",
    "lost records stopped",
    "memory kept",
    "misfit stopped",
    "shuffle trimmed",
    "source trimmed",
    "stale commit refused",
    "state kept",
    "state of several checkpoints",
    "state rebuilt",
    "state trimmed",
    "windows waiting at a takeover",
}


def test_every_event_counts_once_whatever_fails() -> None:
    met = Counter[str]()
    for seed in range(SEEDS):
        wrong, seen = run_counting(seed)
        assert wrong is None, f"seed {seed}: {wrong}"
        met += seen
    few = {what: met[what] for what in RARE if met[what] < SEEDS // 50}
    assert not few, f"the model hardly meets {few}"


@pytest.mark.parametrize("name", sorted(LISTED))
def test_planted_defect_is_found(name: str) -> None:
    assert first_failure(DEFECTS[name], 0, ENOUGH) is not None


@pytest.mark.parametrize("spoil", ["number", "progress", "cells"])
def test_state_that_is_not_what_its_log_holds_is_found(spoil: str) -> None:
    simulation = Simulation(0, NONE)
    with quick_fingerprints():
        simulation.run()
        judge(simulation.stage)
        state = next(m.state for m in simulation.stage.mergers.values() if m.rests and m.pointer.first >= 0)
        if spoil == "number":
            state.number += 1
        elif spoil == "progress":
            state.progress[0].high += 1
        else:
            for table in state.tables:
                table.drop(np.arange(table.count))
        with pytest.raises(Violation, match="the log holds"):
            judge(simulation.stage)


def test_no_planted_defect_is_left_out() -> None:
    assert DEFECTS.keys() == LISTED


def test_the_same_seed_gives_the_same_run() -> None:
    assert run_counting(7) == run_counting(7)
    assert first_failure(DEFECTS["no_claim"], 0, ENOUGH) == first_failure(DEFECTS["no_claim"], 0, ENOUGH)
