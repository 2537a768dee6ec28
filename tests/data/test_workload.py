"""The workload is the one the peers were measured with, and its truth agrees with the reference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.data.workload import DEVICES, Workload, flush_start_us, write
from tests.reference.rules import SECOND, FieldRule, Rules, WindowRule
from tests.reference.stream import evaluate

RULES = Rules(
    fields={
        "event_id": FieldRule("str"),
        "device": FieldRule("str"),
        "ts": FieldRule("float"),
        "value": FieldRule("float"),
    },
    time="ts",
    windows=(WindowRule("minute", 60 * SECOND, ("device",), "value", lateness_us=10 * SECOND),),
    id=("event_id",),
)


def test_kept_truth_agrees_with_the_reference(tmp_path: Path) -> None:
    workload = write(tmp_path / "w.jsonl", 6000)
    lines = (tmp_path / "w.jsonl").read_bytes().splitlines()
    truth = evaluate({0: lines}, RULES)
    account = truth.accounts[0]
    told = [account.read, account.accepted, account.duplicate, account.late, account.dead_lettered.total()]
    assert told == list(workload.account.values())
    found = {k: s for k, s in truth.windows["minute"].items() if k[1] != flush_start_us(6000)}
    assert {k: (s.count, s.mean, s.min, s.max) for k, s in found.items()} == {
        k: pytest.approx(w.figures, rel=1e-15) for k, w in workload.windows.items()
    }
    assert len(truth.windows["minute"]) == len(found) + DEVICES


def test_lines_are_what_the_json_library_writes() -> None:
    for _, value in Workload(2000).records():
        assert json.dumps(json.loads(value)).encode() == value


@pytest.mark.slow
def test_a_million_records_are_those_of_the_published_comparison() -> None:
    workload = Workload(1_000_000)
    total = sum(len(value) for _, value in workload.records())
    assert (workload.duplicates, workload.duplicates_of_good, workload.bad) == (20_137, 20_044, 4_774)
    assert (len(workload.windows), workload.good) == (17_000, 975_089)
    assert round(total / 1_001_000, 1) == 125.6
