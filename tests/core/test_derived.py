"""Derived columns and filters in prepare and fold: the same as if the producer had sent them, by any route and cut."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.core import Job, SourceState, prepare
from lepton_stream.expression.parse import parse
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.plan import Plan
from tests.core.strategies import ANYTHING, WILD, good, partitions
from tests.core.streams import FIELDS, Manner, Outcome, Partitions, carry_out, chunk, new_job, plainly, record
from tests.expression.oracle import value_of

DERIVED = {
    "half": "value / 2",
    "kind": 'when(value is null, "none", value < 0, concat("neg-", device), upper(device))',
    "step": "coalesce(seq // 10, -1)",
    "hard": "coalesce(half > 1 and ok, false)",
    "hour_": 'hour("Asia/Shanghai")',
}
ONLY, ONLY_HARD = "not (device == 'b') and (value is null or value > -1e6)", "half is not null and step != 0"
KINDS = {"t": "float", "device": "str", "id": "int", "value": "float", "seq": "int", "ok": "bool"}
KINDS |= {"half": "float", "kind": "str", "step": "int", "hard": "bool", "hour_": "int"}
RESULTS = {"n": "count()", "sum": "sum(half)", "last": "last(half)", "kinds": "distinct(kind)"}

MANNERS = st.builds(Manner, st.randoms(use_true_random=False), partitions=st.integers(1, 4))


def base() -> Pipeline:
    return FIELDS.dedup(memory=5)


def derived() -> Plan:
    """The columns are derived, and filters keep records out."""
    pipeline = base().where(ONLY)
    for name, text in DERIVED.items():
        pipeline = pipeline.derive(name, text)
    all_of_them = {"size": "10s", "lateness": "3s", "results": RESULTS}
    return (
        pipeline.window("all", group_by=["kind", "step"], **all_of_them)  # type: ignore[arg-type]
        .window("some", size="20s", group_by=["hard", "hour_"], where=ONLY_HARD, results=RESULTS)
        .plan
    )


def sent() -> Plan:
    """The producer has sent the columns, and what the filters say as `in_all` and `in_some`, which are grouped by."""
    pipeline = base()
    for name in DERIVED:
        pipeline = pipeline.field(name, KINDS[name], required=name != "half")
    pipeline = pipeline.field("in_all", "bool").field("in_some", "bool")
    return (
        pipeline.window("all", size="10s", lateness="3s", group_by=["kind", "step", "in_all"], results=RESULTS)
        .window("some", size="20s", group_by=["hard", "hour_", "in_some"], results=RESULTS)
        .plan
    )


def with_columns(raw: bytes | None) -> bytes | None:
    """The record with its derived columns, by the slow oracle."""
    assert raw is not None
    row: dict[str, Any] = orjson.loads(raw)
    time = row["t"]
    time_us = round(time * 1e6) if abs(time) < 1e11 else 0  # others are no event times: dead letters in both plans
    for name, text in DERIVED.items():
        row[name] = value_of(parse(text), row, time_us, KINDS)
    row["in_all"] = value_of(parse(ONLY), row, time_us, KINDS) is True
    row["in_some"] = row["in_all"] and value_of(parse(ONLY_HARD), row, time_us, KINDS) is True
    return orjson.dumps(row)


def kept(found: Outcome) -> list[bytes]:
    """The final results that the filters let through, without the columns that only tell so."""
    rows = [row for row in found.rows if row["final"] and row.get("in_all", True) and row.get("in_some", True)]
    left_out = ("version", "in_all", "in_some")
    return sorted(orjson.dumps({k: v for k, v in row.items() if k not in left_out}) for row in rows)


@settings(max_examples=80)
@given(partitions(good(WILD), most=40), MANNERS)
def test_derived_columns_and_filters_are_as_if_the_producer_had_sent_them(sources: Partitions, manner: Manner) -> None:
    found = carry_out(sources, manner, derived())
    wanted = plainly([[with_columns(raw) for raw in records] for records in sources], sent())
    assert kept(found) == kept(wanted)
    outcomes = ("read", "accepted", "duplicate", "late")
    for s, account in wanted.accounts.items():
        assert [found.accounts[s][name] for name in outcomes] == [account[name] for name in outcomes]


@settings(max_examples=80)
@given(partitions(ANYTHING, most=40), MANNERS)
def test_any_cut_and_route_gives_the_same_and_every_accepted_record_is_somewhere(
    sources: Partitions, manner: Manner
) -> None:
    found = carry_out(sources, manner, derived())
    assert found.same() == plainly(sources, derived()).same()
    for window in ("all", "some"):
        inside = sum(row["n"] for row in found.rows if row["final"] and row["window"] == window)
        for account in found.accounts.values():
            inside += account.get("filtered", 0)
            inside += account.get("filtered_by_window", {}).get(window, 0) + account["late_by_window"].get(window, 0)
        assert inside == sum(account["accepted"] for account in found.accounts.values())


def one(plan: Plan, *records: bytes) -> dict[str, Any]:
    """The account of one chunk."""
    job: Job = new_job(plan)
    return dict(prepare(job, SourceState(job), chunk(0, records)).account.to_dict())


def test_a_filtered_record_is_accepted_and_counted_as_filtered_once() -> None:
    account = one(derived(), record(1), record(1, "b", 1), record(2, "b", 2), record(3, value=None, number=3))
    assert (account["read"], account["accepted"], account["filtered"]) == (4, 4, 2)
    assert account["filtered_by_window"] == {"some": 1}
    assert account["late_by_window"] == {}


def test_a_record_that_is_late_for_every_window_is_late_whatever_the_filters_say() -> None:
    account = one(derived(), record(100), record(1, "b", 1))
    assert (account["accepted"], account["late"], account.get("filtered")) == (1, 1, None)


def test_what_is_filtered_is_not_late_for_a_window() -> None:
    account = one(derived(), record(100), record(98, "b", 1), record(98, "c", 2), record(98, "c", 3, value=None))
    assert (account["accepted"], account["filtered"]) == (4, 1)
    assert (account["late_by_window"], account["filtered_by_window"]) == ({"some": 1}, {"some": 1})


def test_filtered_records_move_time_on_and_are_remembered_as_ids() -> None:
    account = one(derived(), record(50, "b"), record(1, "c", 1), record(50, "b"))
    assert (account["filtered"], account["late"], account["duplicate"]) == (1, 1, 1)


def test_without_filters_nothing_is_said_of_them() -> None:
    plan = derived()
    plain = replace(plan, source=replace(plan.source, where=None), windows=plan.windows[:1])
    account = one(plain, *(record(i, "b", i) for i in range(5)))
    assert account.keys().isdisjoint({"filtered", "filtered_by_window"})


def test_random_readings_fill_both_windows() -> None:
    draw = random.Random(1)
    records = [record(i / 4, draw.choice("abc"), i, draw.gauss(0, 5), seq=draw.randrange(100)) for i in range(300)]
    names = {row["window"] for row in plainly([records], derived()).rows}
    assert names == {"all", "some"}
