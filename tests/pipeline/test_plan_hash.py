from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lepton_stream.pipeline.plan import Call, DeadLetters, FileForm, Objective, Plan, Topics
from lepton_stream.pipeline.plan_hash import canonical, plan_hash
from tests.pipeline.plans import example

PLAN = example()
Change = Callable[[Plan], Plan]


def source(**keys: Any) -> Change:
    return lambda plan: replace(plan, source=replace(plan.source, **keys))


def window(**keys: Any) -> Change:
    return lambda plan: replace(plan, windows=(replace(plan.windows[0], **keys),))


def field(**keys: Any) -> Change:
    return lambda plan: replace(plan, fields=(replace(plan.fields[0], **keys), *plan.fields[1:]))


COUNTS: dict[str, Change] = {
    "name": lambda p: replace(p, name="x"),
    "version": lambda p: replace(p, version=2),
    "dedup_memory": lambda p: replace(p, dedup_memory=5),
    "topic": source(topic="x"),
    "time": source(time="x"),
    "time_unit": source(time_unit="ms"),
    "time_zone": source(time_zone="Asia/Shanghai"),
    "format": source(format="csv"),
    "key": source(key=()),
    "id": source(id=None),
    "id all": source(id="all"),
    "id order": source(id=("ts", "station")),
    "max_ahead": source(max_ahead_us=1),
    "max_record_bytes": source(max_record_bytes=1),
    "field type": field(type="int"),
    "field rule": field(min=0.0),
    "field required": field(required=not PLAN.fields[0].required),
    "on_bad": field(on_bad="null"),
    "no field": lambda p: replace(p, fields=p.fields[1:]),
    "window name": window(name="x"),
    "size": window(size_us=1_000),
    "offset": window(offset_us=1_000),
    "lateness": window(lateness_us=0),
    "grace": window(grace_us=1),
    "emit": window(emit="updates"),
    "group_by": window(group_by=()),
    "results": window(results=(("n", Call("count")),)),
    "results order": window(results=PLAN.windows[0].results[::-1]),
}
FREE: dict[str, Change] = {
    "topics": lambda p: replace(p, topics=Topics(partitions=64, replication=3)),
    "dead_letters": lambda p: replace(p, dead_letters=DeadLetters(0.1, 500)),
    "objective": lambda p: replace(p, objective=Objective(200_000)),
    "idle": source(idle="wait"),
    "idle_timeout": source(idle_timeout_us=1),
    "file": source(file=FileForm("csv", ";")),
}


@pytest.mark.parametrize("what", COUNTS)
def test_what_changes_what_a_record_counts_for_changes_the_hash(what: str) -> None:
    assert plan_hash(COUNTS[what](PLAN)) != plan_hash(PLAN)


@pytest.mark.parametrize("what", FREE)
def test_what_may_change_while_a_pipeline_goes_on_keeps_the_hash(what: str) -> None:
    changed = FREE[what](PLAN)
    assert changed != PLAN
    assert canonical(changed) == canonical(PLAN)


def test_all_changes_have_hashes_of_their_own() -> None:
    hashes = {plan_hash(change(PLAN)) for change in COUNTS.values()}
    assert len(hashes) == len(COUNTS)


def test_hash_is_16_hexadecimal_digits_and_stays_from_release_to_release() -> None:
    assert re.fullmatch("[0-9a-f]{16}", plan_hash(PLAN))
    # a change of this line means that every running pipeline must drain before it takes the release
    assert plan_hash(PLAN) == "267422739513a812"
