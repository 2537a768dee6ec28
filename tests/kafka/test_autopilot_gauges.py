"""What metrics show of settings and decisions."""

from __future__ import annotations

from dataclasses import replace

from lepton_stream.autopilot.setting import Setting
from lepton_stream.runtime.kafka.autopilot_gauges import decision_gauges, setting_gauges
from lepton_stream.runtime.kafka.deciding import Deciding
from tests.autopilot.some_decisions import FLUSH, ROUTE


def test_a_setting_is_told_by_section_and_worker() -> None:
    assert setting_gauges("0", Setting(("rows", "mixed"), 0.05, "zstd-1"), ("minute", "hour")) == {
        "lepton_setting_route": {("0", "minute", "rows"): 1.0, ("0", "hour", "mixed"): 1.0},
        "lepton_setting_flush_seconds": {("0",): 0.05},
        "lepton_setting_codec": {("0", "zstd-1"): 1.0},
    }


def test_promised_and_delivered_are_of_the_same_decision() -> None:
    out = Deciding(None, "lepton.p.decisions", "a-0", lambda: 0)
    out.tell(ROUTE)
    out.tell(FLUSH)
    assert decision_gauges("0", out.completed.values()) == {
        "lepton_decision_promised": {},
        "lepton_decision_delivered": {},
    }
    out.tell(replace(ROUTE, delivered=1.75))
    out.tell(replace(ROUTE, choice="partials", promised=("CPU s a million", 0.5)))  # not measured yet
    labels = ("0", "route", "minute", "CPU s a million")
    assert decision_gauges("0", out.completed.values()) == {
        "lepton_decision_promised": {labels: 1.5},
        "lepton_decision_delivered": {labels: 1.75},
    }
