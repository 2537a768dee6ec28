"""Alarms through the whole core: the turns are those of a plain loop, whatever the cut, and checkpoints carry them."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.core import Slice, SourceState, apply, checkpoint, closing, durable_checkpoint, fold, heartbeat
from lepton_stream.pipeline.plan import Plan
from tests.core.streams import Manner, carry_out, offset_of, plainly, record
from tests.core.test_models import Merge, events_in
from tests.models.slow import Row
from tests.models.slow_alarm import Rule, turns
from tests.models.streams_of_values import base, readings, rows_of

SECOND = 1_000_000
KEYS = tuple(turns([Row(0, 0, 0, "a", 0.0)], Rule("below", 1, 1), 0)[0])

RULES = {
    "plain": Rule("below", 8.5, 8.5),
    "steady": Rule("above", 10.5, 9.5, 2 * SECOND, 1, 3 * SECOND, 2),
    "few": Rule("below", 9.0, 11.0, 0, 2, 0, 2, forget=4 * SECOND),
    "rare": Rule("above", 20.0, 10.0, forget=3 * SECOND),
}


def asked(rule: Rule) -> dict[str, Any]:
    """The keys of the section."""
    return {
        rule.side: rule.threshold,
        "back": rule.back,
        "open_after": f"{rule.open_after}us",
        "open_values": rule.open_values,
        "close_after": f"{rule.close_after}us",
        "close_values": rule.close_values,
        "forget": f"{rule.forget}us",
    }


def watching(**rules: Rule) -> Plan:
    """A plan with these alarms, that no record of `readings` is late for."""
    pipeline = base()
    for name, rule in rules.items():
        pipeline = pipeline.alarm(name, "value", lateness="20s", **asked(rule))
    return pipeline.plan


PLAN = watching(**RULES)


def wanted(sources: list[list[bytes]], name: str) -> list[bytes]:
    """What the plain loop says; time has come as far as the latest record, whatever it holds."""
    heard = max(round(orjson.loads(raw)["t"] * SECOND) for records in sources for raw in records)
    return sorted(map(orjson.dumps, turns(rows_of(sources), RULES[name], heard)))


def found(events: list[dict[str, Any]], name: str) -> list[bytes]:
    """The same of events."""
    return sorted(orjson.dumps({key: e[key] for key in KEYS}) for e in events if e["model"] == name)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("seed", range(3))
def test_every_turn_is_that_of_a_plain_loop_whatever_the_cut(seed: int, name: str) -> None:
    sources = readings(seed, 900, sources=2)
    should = wanted(sources, name)
    assert len(should) > 20
    assert found(plainly(sources, PLAN).events, name) == should
    cut = carry_out(sources, Manner(random.Random(seed), 1 + seed, longest=9), PLAN)
    assert found(cut.events, name) == should
    assert name != "few" or any(b'"silent"' in event for event in should)


RULE = st.builds(
    Rule,
    st.sampled_from(["below", "above"]),
    st.just(3.0),
    st.just(3.0),
    st.integers(0, 3).map(lambda s: s * SECOND),
    st.integers(1, 3),
    st.integers(0, 3).map(lambda s: s * SECOND),
    st.integers(1, 3),
    st.sampled_from([3 * SECOND, 10 * SECOND, 90 * SECOND]),
)
STEP = st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.integers(0, 6))


@settings(max_examples=120)
@given(RULE, st.integers(0, 2), st.lists(STEP, max_size=40), st.randoms(use_true_random=False), st.integers(1, 3))
def test_turns_of_any_stream_are_those_of_a_plain_loop(
    rule: Rule, gap: int, steps: list[tuple[int, str, int]], draw: random.Random, partitions: int
) -> None:
    back = rule.threshold + (gap if rule.side == "below" else -gap)
    rule = Rule(**{**vars(rule), "back": back})
    time, records, rows = 100, [], []
    for place, (step, device, value) in enumerate(steps):
        time += step
        records.append(record(time, device, value=value))
        rows.append(Row(time * SECOND, 0, offset_of(place), device, float(value)))
    should = sorted(map(orjson.dumps, turns(rows, rule, time * SECOND if rows else 0)))
    plan = watching(one=rule)
    assert found(plainly([records], plan).events, "one") == should
    assert found(carry_out([records], Manner(draw, partitions, longest=4), plan).events, "one") == should


def values(merge: Merge, *told: tuple[float, float], device: str = "a") -> None:
    """(time, value) of one device."""
    merge.take([record(t, device, value=v) for t, v in told])


def one(**keys: Any) -> Merge:
    """One shuffle partition with one alarm."""
    return Merge(base().alarm("low", "value", **{"below": 70, "back": 80, **keys}).plan)


def said(merge: Merge) -> list[tuple[int, str, float]]:
    """Time, change and value of the events so far."""
    return [(e["event_time"] // 1000, e["change"], e["seen"]) for e in merge.events()]


def test_values_between_the_thresholds_neither_open_nor_close() -> None:
    merge = one()
    values(merge, (1, 75), (2, 69.5), (3, 75), (4, 69), (5, 79.5), (6, 80), (7, 75), (8, 70))
    merge.end()
    assert said(merge) == [(2, "opened", 69.5), (6, "closed", 80.0)]


def test_a_value_at_the_threshold_does_not_open_and_one_at_back_closes() -> None:
    merge = Merge(base().alarm("high", "value", above=180).plan)
    values(merge, (1, 180), (2, 180.5), (3, 180))
    merge.end()
    assert said(merge) == [(2, "opened", 180.5), (3, "closed", 180.0)]


def test_it_opens_only_after_values_stayed_beyond_and_closes_only_after_they_stayed_back() -> None:
    merge = one(open_after="10s", open_values=3, close_after="5s")
    values(merge, (0, 60), (5, 65), (9, 75), (10, 60), (15, 50), (19, 60), (20, 65), (30, 90), (34, 85), (35, 60))
    values(merge, (40, 90), (45, 95))
    merge.end()
    opened, closed = events_in(checkpoint(merge.state))
    assert (opened["event_time"], opened["since"], opened["until"], opened["worst"]) == (20_000, 10_000, None, 50.0)
    assert (closed["event_time"], closed["since"], closed["until"]) == (45_000, 10_000, 40_000)
    assert opened["because"] == "value is 65: below 70 for 10s, 4 values in a row"
    assert closed["because"] == (
        "value is 95: 80 or above for 5s, 2 values in a row, "
        "after it was below 70 since 1970-01-01 00:00:10 UTC, down to 50"
    )
    assert (opened["expected"], closed["expected"], opened["alarm"], closed["alarm"]) == (70.0, 80.0, True, False)


def test_an_alarm_whose_key_falls_silent_is_told_when_time_has_passed_without_it() -> None:
    merge = one(forget="60s")
    values(merge, (100, 60))
    values(merge, (100, 90), device="b")
    assert said(merge) == []  # the watermark stands at 100
    values(merge, (159, 90), device="b")
    assert said(merge) == [(100, "opened", 60.0)]
    values(merge, (160, 90), device="b")
    assert said(merge) == []
    values(merge, (161, 90), device="b")
    assert closing(merge.state)
    (silent,) = merge.events()
    assert (silent["event_time"], silent["change"], silent["seen"], silent["alarm"]) == (160_000, "silent", 60.0, False)
    assert silent["because"] == (
        "silent for more than 1m after value was 60; not known to be back, "
        "below 70 since 1970-01-01 00:01:40 UTC, down to 60"
    )
    values(merge, (300, 50))  # it begins anew
    merge.end()
    assert said(merge) == [(300, "opened", 50.0)]


def test_idleness_tells_silence_too() -> None:
    merge = one(forget="60s")
    values(merge, (100, 60), (101, 60))
    assert len(merge.events()) == 1
    (frame,) = heartbeat(merge.job, 0, offset_of(2), merge.states[0].high, 162 * SECOND)
    assert fold(merge.job, merge.state, frame)
    assert said(merge) == [(161, "silent", 60.0)]


def test_a_key_with_an_open_alarm_is_not_forgotten_before_that_was_told() -> None:
    merge = one(forget="60s")
    values(merge, (100, 60), (101, 60))
    merge.end()
    assert said(merge) == [(100, "opened", 60.0)]  # nothing is later than 101: nobody knows of a silence
    values(merge, (500, 90))
    merge.end()
    assert said(merge) == [(161, "silent", 60.0)]


def test_late_records_are_left_out_of_the_alarm_they_are_late_for_and_disorder_within_the_lateness_is_not() -> None:
    merge = one(lateness="5s")
    values(merge, (100, 90), (96, 60), (98, 90), (94, 50))
    assert merge.state.account[0].late_by_window == {"low": 1}
    merge.end()
    assert said(merge) == [(96, "opened", 60.0), (98, "closed", 90.0)]


def test_whole_numbers_stay_whole_and_one_history_serves_all_where_by_is_empty() -> None:
    merge = Merge(base().alarm("low", "seq", below=3, by=[]).plan)
    merge.take([record(1, "a", seq=2), record(2, "b", seq=None), record(3, "b", seq=5)])
    merge.end()
    opened, closed = merge.events()
    assert (opened["seen"], closed["seen"], opened["worst"]) == (2, 5, 2)
    assert all(isinstance(e[k], int) for e in (opened, closed) for k in ("seen", "worst"))
    assert "device" not in opened


def test_an_alarm_may_watch_a_derived_column_under_a_condition() -> None:
    plan = base().derive("twice", "value * 2").alarm("low", "twice", below=3, where="ok").plan
    merge = Merge(plan)
    merge.take([record(1, value=1.0, ok=False), record(2, value=1.25), record(3, value=2.0)])
    merge.end()
    assert said(merge) == [(2, "opened", 2.5), (3, "closed", 4.0)]


def test_a_state_from_checkpoints_goes_on_as_the_one_that_wrote_them() -> None:
    records = readings(5, 1200, sources=1)[0]
    merge, told = Merge(PLAN), []
    deltas = []
    for n, at in enumerate(range(0, 1000, 50)):
        merge.take(records[at : at + 50])
        done = durable_checkpoint(merge.job, merge.state, Slice(n % 4, 4) if n >= 4 else None)
        told += events_in(done)
        deltas.append(done.delta)
    for first in (0, 4, 8, 16):
        other = Merge(PLAN)
        for delta in deltas[first:]:
            apply(other.job, other.state, delta)
        other.states, other.places = [SourceState(other.job)], list(merge.places)
        other.states[0].high = merge.states[0].high
        other.take(records[1000:])
        other.end()
        rest = other.events()
        assert len(rest) > 20
        for name in RULES:
            assert found(told + rest, name) == wanted([records], name)


def test_a_bounded_checkpoint_judges_the_rest_later_with_the_same_outcome() -> None:
    records = readings(6, 600, sources=1)[0]
    merge = Merge(PLAN)
    merge.take(records)
    merge.end()
    told, steps = merge.events(40), 1
    while closing(merge.state):
        told += merge.events(40)
        steps += 1
    assert steps > 10
    for name in RULES:
        assert found(told, name) == wanted([records], name)


def test_events_of_a_batch_are_in_the_order_of_time() -> None:
    sources = readings(7, 3000, sources=1)
    merge = Merge(PLAN)
    merge.take(sources[0])
    merge.end()
    done = checkpoint(merge.state)
    for batch in done.events:
        times = batch.columns["event_time"]
        assert times == sorted(times)
        assert len(times) > 20
