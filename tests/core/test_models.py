"""Models through the whole core: the scores are those of a plain loop, whatever the cut, and checkpoints carry them."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.core import (
    Checkpoint,
    Job,
    PartitionState,
    Slice,
    SourceState,
    apply,
    checkpoint,
    closing,
    durable_checkpoint,
    fold,
    heartbeat,
    prepare,
    waiting,
)
from lepton_stream.errors import IntegrityError
from lepton_stream.pipeline.plan import Plan
from lepton_stream.shuffle.frame import PartialsPart, RowsPart, decode, encode
from tests.core.strategies import ANYTHING, WILD, good, partitions
from tests.core.streams import Manner, Partitions, carry_out, chunk, new_job, offset_of, plainly, record
from tests.models.slow import Judge, drift, ewma, onsets, robust_z, scores
from tests.models.streams_of_values import PLAN, base, readings, rows_of

MANNERS = st.builds(Manner, st.randoms(use_true_random=False), partitions=st.integers(1, 4))


@settings(max_examples=60)
@given(partitions(ANYTHING, most=40) | partitions(good(WILD), most=40), MANNERS)
def test_cuts_interleaving_routes_bytes_and_partitions_change_no_event(sources: Partitions, manner: Manner) -> None:
    assert carry_out(sources, manner, PLAN).same() == plainly(sources, PLAN).same()


@pytest.mark.parametrize("seed", range(4))
def test_events_of_long_streams_are_the_same_bytes_in_any_cut(seed: int) -> None:
    sources = readings(seed, 600, sources=3)
    found, other = plainly(sources, PLAN), carry_out(sources, Manner(random.Random(seed), 1 + seed, longest=80), PLAN)
    assert other.same() == found.same()
    assert {e["model"] for e in found.events} == {"robust", "mean", "alarms", "creep", "begins", "one"}


@pytest.mark.parametrize(
    ("model", "judge", "warmup", "least"),
    [("robust", robust_z(9), 5, 0.0), ("mean", ewma(0.2), 4, 0.01), ("creep", drift(0.25), 8, 0.0)],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_score_is_that_of_a_plain_loop(seed: int, model: str, judge: Judge, warmup: int, least: float) -> None:
    sources = readings(seed, 900, sources=2)
    wanted = scores(rows_of(sources), judge, warmup, least)
    found = {
        (e["source_partition"], e["source_offset"]): e for e in plainly(sources, PLAN).events if e["model"] == model
    }
    assert len(found) == len(wanted) > 500
    for one in wanted:
        event = found[one.row.source, one.row.offset]
        assert event["seen"] == pytest.approx(one.seen, rel=1e-12)
        assert (event["device"], event["event_time"]) == (one.row.key, one.row.time_us // 1000)
        assert event["expected"] == pytest.approx(one.expected, rel=1e-12, abs=1e-12)
        assert event["deviation"] == pytest.approx(one.deviation, rel=1e-9, abs=1e-9)
        assert event["score"] == pytest.approx(one.score, rel=1e-6, abs=1e-6)


def test_only_scores_from_the_threshold_on_become_events_unless_all_are_asked_for() -> None:
    sources = readings(3, 900)
    all_of_them = base().model("m", "robust_z(value, 16)", threshold=4, lateness="20s", emit="all").plan
    alarms = replace(all_of_them, models=(replace(all_of_them.models[0], emit="alarms"),))
    found, fewer = plainly(sources, all_of_them).events, plainly(sources, alarms).events
    assert fewer == [e for e in found if e["alarm"]]
    assert [e["alarm"] for e in found] == [abs(e["score"]) >= 4 for e in found]
    assert 0 < len(fewer) < len(found) / 10


def test_onsets_are_the_first_alarms_of_each_episode_and_no_others() -> None:
    everything = base().model("m", "ewma(value, 0.2)", threshold=1.5, warmup=4, lateness="30s", emit="all").plan
    first = replace(everything, models=(replace(everything.models[0], emit="onsets"),))
    sources = readings(8, 3000)
    scored: dict[str, list[dict[str, Any]]] = {}
    for event in plainly(sources, everything).events:
        scored.setdefault(event["device"], []).append(event)
    wanted = [events[i] for events in scored.values() for i in onsets([e["score"] for e in events], 1.5)]
    found = plainly(sources, first).events
    assert sorted(map(orjson.dumps, found)) == sorted(map(orjson.dumps, wanted))
    alarms = [e for events in scored.values() for e in events if e["alarm"]]
    assert 50 < len(found) < len(alarms)


class Merge:
    """One shuffle partition of PLAN."""

    def __init__(self, plan: Plan = PLAN, sources: int = 1) -> None:
        self.job: Job = new_job(plan)
        self.states = [SourceState(self.job) for _ in range(sources)]
        self.places = [0] * sources
        self.state = PartitionState.empty(self.job, dict.fromkeys(range(sources), 0))

    def take(self, records: list[bytes], source: int = 0) -> None:
        made = prepare(self.job, self.states[source], chunk(source, records, self.places[source]))
        self.places[source] += len(records)
        assert fold(self.job, self.state, decode(encode(made.frames[0])))

    def end(self) -> None:
        for s, state in enumerate(self.states):
            (frame,) = heartbeat(self.job, s, offset_of(self.places[s]), state.high, ended=True)
            assert fold(self.job, self.state, frame)

    def events(self, most: int | None = None) -> list[dict[str, Any]]:
        return events_in(checkpoint(self.state, most))


def events_in(done: Checkpoint) -> list[dict[str, Any]]:
    return [row for batch in done.events for row in batch.rows()]


def test_a_state_from_checkpoints_goes_on_as_the_one_that_wrote_them() -> None:
    """Whatever the slices: from the first checkpoint on, and from the first slice of a turn on."""
    records = readings(5, 1200, sources=1)[0]
    merge = Merge()
    deltas = []
    for n, at in enumerate(range(0, 1000, 50)):
        merge.take(records[at : at + 50])
        deltas.append(durable_checkpoint(merge.job, merge.state, Slice(n % 4, 4) if n >= 4 else None).delta)
    for first in (0, 4, 8, 16):
        other = Merge()
        for delta in deltas[first:]:
            apply(other.job, other.state, delta)
        other.states, other.places = [SourceState(other.job)], list(merge.places)
        other.states[0].high = merge.states[0].high
        copy = Merge()  # the one that wrote them, as it is now
        for delta in deltas:
            apply(copy.job, copy.state, delta)
        copy.states, copy.places = [SourceState(copy.job)], list(merge.places)
        copy.states[0].high = merge.states[0].high
        for one in (other, copy):
            one.take(records[1000:])
            one.end()
        assert other.state.scored == copy.state.scored
        assert (found := other.events()) == copy.events()
        assert len(found) > 100
    merge.take(records[1000:])
    merge.end()
    assert merge.events() == found


def test_deltas_weigh_what_changed_and_not_all_that_is_held() -> None:
    merge = Merge(base().model("m", "robust_z(value, 64)", threshold=4, lateness="0s").plan)
    merge.take([record(i / 1000, f"d{i}") for i in range(3000)])
    merge.take([record(10, "a")])
    whole = len(durable_checkpoint(merge.job, merge.state, None).delta)
    merge.take([record(11, "a")])
    assert len(durable_checkpoint(merge.job, merge.state, None).delta) < whole / 50


def test_a_bounded_checkpoint_scores_the_rest_later_with_the_same_outcome() -> None:
    records = readings(6, 600, sources=1)[0]
    whole, bounded = Merge(), Merge()
    for merge in (whole, bounded):
        merge.take(records)
        merge.end()
    wanted = whole.events()
    found, steps = events_in(first := checkpoint(bounded.state, 40)), 1
    assert first.more
    while waiting(bounded.state):
        found += bounded.events(40)
        steps += 1
    assert steps > 10
    assert sorted(map(orjson.dumps, found)) == sorted(map(orjson.dumps, wanted))


def test_rows_wait_for_the_watermark_of_all_sources() -> None:
    plan = base().model("m", "ewma(value)", threshold=1, warmup=2, emit="all").plan
    merge = Merge(plan, sources=2)
    merge.take([record(t, value=t) for t in (1.0, 3.0, 5.0)])
    assert not closing(merge.state)
    assert merge.events() == []
    merge.take([record(t, value=t) for t in (2.0, 4.0)], source=1)
    assert closing(merge.state)
    assert [e["event_time"] for e in merge.events()] == [3000]  # 1 and 2 warm it up, 4 is not passed yet
    merge.end()
    assert [(e["event_time"], e["source_partition"]) for e in merge.events()] == [(4000, 1), (5000, 0)]


def test_a_row_that_idleness_has_overtaken_is_counted_as_late_for_the_model() -> None:
    merge = Merge(base().model("m", "ewma(value)", threshold=1).plan)
    merge.take([record(10)])
    (frame,) = heartbeat(merge.job, 0, offset_of(1), merge.states[0].high, 100_000_000)
    assert fold(merge.job, merge.state, frame)
    checkpoint(merge.state)
    merge.take([record(99), record(100)])
    assert merge.state.account[0].late_by_window == {"m": 1}


def test_late_records_are_left_out_of_the_model_they_are_late_for() -> None:
    merge = Merge(base().model("m", "ewma(value)", threshold=1, lateness="5s").plan)
    merge.take([record(100), record(96), record(94)])
    assert (merge.state.account[0].accepted, merge.state.account[0].late_by_window) == (3, {"m": 1})


def test_a_silent_key_is_forgotten_and_begins_anew() -> None:
    plan = base().model("m", "ewma(value)", threshold=1, warmup=2, emit="all", forget="1m").plan
    merge = Merge(plan)
    merge.take([record(t, "a", value=t) for t in (1, 2, 3)] + [record(30, "b")])
    assert [e["event_time"] for e in merge.events()] == [3000]
    merge.take([record(70, "b")])
    assert merge.events() == []
    assert int(merge.state.models[0].keys.held.sum()) == 1  # a has left
    merge.take([record(t, "a", value=t) for t in (71, 72, 73, 74)])
    merge.end()
    assert [e["event_time"] for e in merge.events()] == [73000, 74000]
    once = Merge(plan)  # the same where nobody looked in between
    once.take([record(t, "a", value=t) for t in (1, 2, 3)] + [record(30, "b"), record(70, "b")])
    once.take([record(t, "a", value=t) for t in (71, 72, 73, 74)])
    once.end()
    assert [e["event_time"] for e in once.events()] == [3000, 73000, 74000]


def test_keys_that_come_and_go_do_not_pile_up() -> None:
    merge = Merge(base().model("m", "robust_z(value)", threshold=4, forget="10s").plan)
    for i in range(60):
        merge.take([record(i * 5 + j / 100, f"d{i}.{j}") for j in range(100)])
        merge.events()
    table = merge.state.models[0]
    assert table.keys.count < 1500
    assert table.bytes < 4 << 20


@pytest.mark.parametrize("part", ["partials", "text"])
def test_a_frame_that_prepare_cannot_have_made_is_refused(part: str) -> None:
    merge = Merge()
    made = prepare(merge.job, merge.states[0], chunk(0, [record(1)]))
    (frame,) = made.frames
    rows = dict(frame.parts)[1]
    assert isinstance(rows, RowsPart)
    one = np.zeros(1, np.int64)
    wrong = PartialsPart(rows.columns, one, one, {}) if part == "partials" else replace(rows, columns={
        "device": rows.columns["device"], "value": rows.columns["device"]
    })  # fmt: skip
    with pytest.raises(IntegrityError, match="model robust"):
        fold(merge.job, merge.state, replace(frame, parts=((1, wrong),)))


def test_state_of_another_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    merge = Merge()
    merge.take([record(1)])
    monkeypatch.setattr("lepton_stream.core.model_delta.FORM", 2)
    delta = durable_checkpoint(merge.job, merge.state, None).delta
    monkeypatch.undo()
    with pytest.raises(IntegrityError, match="form 2"):
        apply(merge.job, Merge().state, delta)
