"""What `explain` says of decisions, without a broker."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lepton_stream.autopilot.decision import Decision
from lepton_stream.autopilot.record import History, Told, record_of
from lepton_stream.cli.explain import chosen, none_yet, texts_of
from lepton_stream.cli.main import outcome
from lepton_stream.errors import UsageError
from lepton_stream.pipeline.source import find
from tests.autopilot.some_decisions import FLUSH, ROUTE
from tests.cli.test_terminal import EVIL, steers


def history(*decisions: Decision) -> History:
    found = History()
    for n, decision in enumerate(decisions):
        found.take(record_of(Told("a-0", 1_700_000_000_000 + n, replace(decision, id=f"r-{n}")))[1])
    return found


def test_the_newest_of_each_knob_is_shown_and_with_all_the_earlier_ones_too() -> None:
    found = history(FLUSH, replace(FLUSH, choice="0 s"), ROUTE)
    assert [t.decision.choice for t in chosen(found, None, every=False)] == ["0 s", "rows"]
    assert [t.decision.choice for t in chosen(found, None, every=True)] == ["0.05 s", "0 s", "rows"]
    assert [t.decision.choice for t in chosen(found, "fl", every=True)] == ["0.05 s", "0 s"]


def test_a_knob_that_nothing_was_decided_about_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError) as refused:
        chosen(history(FLUSH, ROUTE), "ruote", every=False)
    assert str(refused.value) == (
        "--knob ruote: nothing was decided about it, but about flush, route (did you mean route?)"
    )


def test_where_nothing_was_decided_a_knob_is_no_mistake() -> None:
    assert chosen(history(), "rout", every=False) == []
    told = none_yet(find("iot/air_quality"), "iot/air_quality")
    assert told.startswith("air-quality: no decisions in the last 14 days. The autopilot is off unless")
    assert "lepton-stream run iot/air_quality --autopilot advise" in told


def test_a_decision_for_people_has_all_of_it() -> None:
    (told,) = history(replace(ROUTE, delivered=1.75)).newest()
    assert "".join(texts_of([told])) == (
        "route, window minute: rows\n"
        "  decided    2023-11-14 22:13:20 UTC by a-0\n"
        "  why        few rows share a cell\n"
        "  seen       hot share: 0\n"
        "             rows a cell: 1.25\n"
        "  options    rows: CPU s a million 1.5 (chosen)\n"
        "             partials: CPU s a million 2\n"
        "  promised   CPU s a million 1.5\n"
        "  delivered  CPU s a million 1.75\n"
    )


def test_what_others_wrote_into_the_topic_cannot_steer_the_terminal() -> None:
    told = Told(EVIL, 0, replace(ROUTE, id="r", knob=EVIL, choice=EVIL, why=EVIL, seen={EVIL: 1.0}, about={EVIL: EVIL}))
    text = "".join(texts_of([told]))
    assert steers(text) == []
    assert text.count("\n") == 8


def test_a_broker_that_is_down_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["explain", "iot/air_quality", "--broker", "127.0.0.1:1"]) == 4
    assert "nothing listens there" in capsys.readouterr().err
