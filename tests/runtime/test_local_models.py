"""Events of models in runs over files: where they go, and that splitting the input changes nothing but the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lepton_stream import Pipeline
from lepton_stream.cli.main import outcome
from lepton_stream.errors import UsageError
from lepton_stream.runtime.local import LocalRun, Options
from lepton_stream.runtime.local_telling import LocalTelling
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.render import durable
from lepton_stream.telemetry.snapshot import Snapshot
from tests.acceptance.commands import lines
from tests.models.streams_of_values import written_readings

PLACE = ("source_topic", "source_partition", "source_offset")


def piped() -> Pipeline:
    """The pipeline that runs."""
    return (
        Pipeline("alarms")
        .source("streams.v1", time="t", key="device")
        .field("t", "float")
        .field("device", "str")
        .field("value", "float", required=False)
        .window("all", size="1h", lateness="1d", n="count()")
        .model("spike", "robust_z(value, 16)", threshold=4, lateness="20s")
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Readings with spikes."""
    return written_readings(tmp_path / "in.jsonl")


def run(folder: Path, file: Path, *more: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Events and totals of the command."""
    plan, out, events, stats = (folder / name for name in ("plan.toml", "out.jsonl", "events.jsonl", "stats.json"))
    plan.write_text(piped().to_toml())
    asked = ["run", str(plan), "--input", str(file), "--output", str(out), "--stats", str(stats), "--quiet", *more]
    assert outcome([*asked, "--events", str(events)]) == 0
    return lines(events), json.loads(stats.read_text())


def said(events: list[dict[str, Any]]) -> list[str]:
    """All but the place."""
    return sorted(json.dumps({k: v for k, v in e.items() if k not in PLACE}) for e in events)


def test_the_command_writes_events_and_counts_them_and_partitions_change_no_score(tmp_path: Path, file: Path) -> None:
    found, stats = run(tmp_path, file)
    split, split_stats = run(tmp_path, file, "--partitions", "3", "--route", "rows")
    assert len(found) > 30
    assert said(split) == said(found)
    assert stats["events"] == split_stats["events"] == len(found)
    assert [e["event_time"] for e in found] == sorted(e["event_time"] for e in found)
    assert {e["source_partition"] for e in split} == {0, 1, 2}


def test_python_hands_events_to_a_function_or_a_file(tmp_path: Path, file: Path) -> None:
    wanted, _ = run(tmp_path, file)
    told: list[dict[str, Any]] = []
    done = piped().run(input=str(file), events=told.append)
    assert len(list(done)) > 0
    assert told == wanted
    assert done.stats["events"] == len(wanted)
    list(piped().run(input=str(file), events=tmp_path / "more.jsonl"))
    assert lines(tmp_path / "more.jsonl") == wanted


def test_events_of_nothing_and_of_a_run_on_kafka_without_end_are_refused(
    tmp_path: Path, file: Path, capsys: Any
) -> None:
    without = Pipeline("x").source("a", time="t").window("w", size="1h", n="count()")
    with pytest.raises(UsageError, match="has no model"):
        without.run(input=str(file), events=print)
    plan = tmp_path / "plan.toml"
    plan.write_text(piped().to_toml())
    assert outcome(["run", str(plan), "--broker", "localhost:1", "--events", "x.jsonl"]) == 2  # without an end
    assert "lepton-stream tail PIPELINE --events" in capsys.readouterr().err
    assert outcome(["run", str(plan), "--input", str(file), "--events", str(file)]) == 2
    assert "same file" in capsys.readouterr().err


def test_metrics_count_scored_records_and_events(file: Path) -> None:
    heard: list[Snapshot] = []
    local = LocalRun(piped().plan, file, Options(telling=LocalTelling(heard.append)))
    list(local)
    samples = durable(heard[-1].kept)
    assert samples[c.EVENTS.name]["spike",] == local.events > 30
    there = sum(json.loads(raw)["value"] is not None for raw in file.read_bytes().splitlines())
    assert samples[c.SCORED.name]["spike",] == there - 3 * 16  # of each device, the warm-up
