"""Decisions as records: they read back the same, others' records do not hurt, the newest is found."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from lepton_stream.autopilot.decision import Decision
from lepton_stream.autopilot.record import History, Remembered, Told, document_of, record_of, told_by
from tests.autopilot.some_decisions import FLUSH, ROUTE


def told(decision: Decision, worker: str = "a-0", time_ms: int = 1_000, **changes: object) -> Told:
    return Told(worker, time_ms, replace(decision, **{"id": "r-1", **changes}))  # type: ignore[arg-type]


def taken(*many: Told) -> History:
    history = History()
    for one in many:
        history.take(record_of(one)[1])
    return history


@pytest.mark.parametrize("delivered", [None, 1.75, 0.0])
@pytest.mark.parametrize("decision", [ROUTE, FLUSH], ids=["route", "flush"])
def test_a_decision_reads_back_as_it_was_told(decision: Decision, delivered: float | None) -> None:
    one = told(decision, delivered=delivered)
    assert told_by(record_of(one)[1]) == one


def test_the_record_is_plain_json_with_the_documented_fields() -> None:
    key, value = record_of(told(ROUTE))
    assert json.loads(key) == {"knob": "route", "worker": "a-0", "about": {"window": "minute"}}
    assert json.loads(value) == {
        "version": 1,
        "id": "r-1",
        "time": 1000,
        "worker": "a-0",
        "knob": "route",
        "about": {"window": "minute"},
        "choice": "rows",
        "why": "few rows share a cell",
        "seen": {"rows a cell": 1.25, "hot share": 0.0},
        "options": [
            {"name": "rows", "predicted": {"CPU s a million": 1.5}},
            {"name": "partials", "predicted": {"CPU s a million": 2.0}},
        ],
        "promised": {"name": "CPU s a million", "value": 1.5},
        "delivered": None,
    }
    assert document_of(told(ROUTE)) == json.loads(value)


def test_the_key_does_not_hang_on_the_order_in_which_it_is_told_what_it_is_about() -> None:
    one, other = told(ROUTE, about={"a": "1", "b": "2"}), told(ROUTE, about={"b": "2", "a": "1"})
    assert record_of(one)[0] == record_of(other)[0] != record_of(told(ROUTE, about={"a": "1"}))[0]


def test_numbers_of_numpy_and_those_that_json_does_not_have_can_be_told() -> None:
    odd = told(ROUTE, seen={"n": np.int64(3), "share": np.float32(0.5), "none": math.nan, "ever": math.inf})
    back = told_by(record_of(odd)[1])
    assert back is not None
    assert (back.decision.seen["n"], back.decision.seen["share"]) == (3.0, 0.5)
    assert math.isnan(back.decision.seen["none"])
    assert "\n".join(back.decision.lines()).count("nan") == 2


@pytest.mark.parametrize(
    "value",
    [None, b"", b"[]", b'{"version":1}', record_of(told(ROUTE))[1].replace(b'"version":1', b'"version":2'), b"\xff{"],
)
def test_what_is_none_of_ours_or_of_a_later_version_is_counted_and_left_out(value: bytes | None) -> None:
    history = History()
    history.take(value)
    history.take(record_of(told(ROUTE))[1])
    assert (history.unreadable, len(list(history.all()))) == (1, 1)


def test_a_field_that_a_later_build_adds_is_passed_over() -> None:
    value = record_of(told(ROUTE))[1]
    assert told_by(value[:-1] + b',"more":[1]}') == told_by(value) is not None


def test_one_told_again_with_what_it_delivered_keeps_its_place() -> None:
    first, second = told(ROUTE, id="r-1"), told(FLUSH, id="r-2")
    history = taken(first, second, replace(first, decision=replace(first.decision, delivered=1.6)))
    assert [(t.decision.id, t.decision.delivered) for t in history.all()] == [("r-1", 1.6), ("r-2", None)]


def test_the_newest_is_one_for_each_knob_section_and_worker() -> None:
    minute, hour = ROUTE, replace(ROUTE, about={"window": "hour"})
    history = taken(
        told(minute, id="r-1"),
        told(minute, id="r-2", choice="partials"),
        told(hour, id="r-3"),
        told(minute, "b-0", id="r-1"),
        told(FLUSH, id="r-4"),
    )
    newest = [(t.decision.knob, t.decision.about.get("window"), t.worker, t.decision.id) for t in history.newest()]
    assert newest == [
        ("flush", None, "a-0", "r-4"),
        ("route", "hour", "a-0", "r-3"),
        ("route", "minute", "a-0", "r-2"),
        ("route", "minute", "b-0", "r-1"),
    ]
    assert [t.decision.id for t in history.all("route")] == ["r-1", "r-2", "r-3", "r-1"]
    assert history.knobs == ["flush", "route"]


def test_each_decision_gets_an_id_of_its_own_and_the_time_it_was_made() -> None:
    remembered = Remembered("a-0", "run")
    first, new = remembered.told(ROUTE, 10)
    again, also_new = remembered.told(ROUTE, 20)
    assert (first.decision.id, first.time_ms, new) == ("run-1", 10, True)
    assert (again.decision.id, again.time_ms, also_new) == ("run-2", 20, True)


def test_one_that_comes_again_with_what_it_delivered_keeps_id_and_time() -> None:
    remembered = Remembered("a-0", "run")
    remembered.told(ROUTE, 10)
    remembered.told(FLUSH, 20)
    later, new = remembered.told(replace(ROUTE, delivered=1.6), 30)
    assert (later.decision.id, later.time_ms, later.decision.delivered, new) == ("run-1", 10, 1.6, False)
    other, new = remembered.told(replace(ROUTE, delivered=1.7), 40)
    assert (other.decision.id, new) == ("run-3", True)


def test_one_with_an_id_is_known_by_it_whatever_else_changes() -> None:
    remembered = Remembered("a-0", "run")
    remembered.told(replace(ROUTE, id="1.0"), 10)
    assert remembered.told(replace(FLUSH, id="1.0"), 20)[1]  # each knob counts by itself
    later, new = remembered.told(replace(ROUTE, id="1.0", why="it did not", delivered=9.0), 30)
    assert (later.decision.id, later.time_ms, later.decision.why, new) == ("run-1", 10, "it did not", False)


def test_ids_of_two_runs_differ_though_the_autopilot_counts_from_one_again() -> None:
    first, second = (Remembered("a-0", run).told(replace(ROUTE, id="1.0"), 10)[0] for run in ("x", "y"))
    assert first.decision.id != second.decision.id


def test_only_the_last_ones_are_remembered() -> None:
    remembered = Remembered("a-0", "run", most=2)
    for n, decision in enumerate((ROUTE, FLUSH, FLUSH)):
        remembered.told(decision, n)
    assert remembered.told(replace(ROUTE, delivered=1.6), 30)[1]


def test_lines_say_for_what_it_holds() -> None:
    assert next(iter(ROUTE.lines())) == "route, window minute: rows"
    assert next(iter(FLUSH.lines())) == "flush: 0.05 s"


def test_numbers_are_shown_as_people_write_them() -> None:
    seen = {"a": 20_000.4, "b": 0.012345, "c": 999.4, "d": math.inf, "e": -12_345.0}
    told = "\n".join(replace(ROUTE, seen=seen).lines())
    for line in ("a: 20,000\n", "b: 0.0123\n", "c: 999\n", "d: inf\n", "e: -12,345\n"):
        assert line in told
