"""Alarms in runs over files: where their events go, beside those of models, and that partitions change none."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lepton_stream import Pipeline
from lepton_stream.cli.tail import table_of
from lepton_stream.errors import UsageError
from lepton_stream.pipeline.alarms import ALARM_COLUMNS
from lepton_stream.pipeline.models import EVENT_COLUMNS
from lepton_stream.runtime.kafka.board import Events
from lepton_stream.runtime.local import LocalRun, Options
from lepton_stream.runtime.local_telling import LocalTelling
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.render import durable
from lepton_stream.telemetry.snapshot import Snapshot
from tests.models.streams_of_values import written_readings

PLACE = ("source_topic", "source_partition", "source_offset")


def piped() -> Pipeline:
    """A model and an alarm of the same values."""
    return (
        Pipeline("both")
        .source("streams.v1", time="t", key="device")
        .field("t", "float")
        .field("device", "str")
        .field("value", "float", required=False)
        .window("all", size="1h", lateness="1d", n="count()")
        .model("spike", "robust_z(value, 16)", threshold=4, lateness="20s")
        .alarm("low", "value", below=8, back=10, open_values=2, lateness="20s", forget="4s")
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Readings with spikes and flat stretches."""
    return written_readings(tmp_path / "in.jsonl")


def run(file: Path, **more: Any) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
    told: list[dict[str, Any]] = []
    done = piped().run(input=str(file), events=told.append, **more)
    list(done)
    return told, done.stats


def said(events: list[dict[str, Any]]) -> list[str]:
    """All but the place."""
    return sorted(json.dumps({k: v for k, v in e.items() if k not in PLACE}) for e in events)


def test_events_of_both_come_with_their_columns_and_partitions_change_none(file: Path) -> None:
    found, stats = run(file)
    split, split_stats = run(file, partitions=3, route="rows")
    assert said(split) == said(found)
    assert stats["events"] == split_stats["events"] == len(found)
    by = {name: [e for e in found if e["model"] == name] for name in ("spike", "low")}
    assert list(by["spike"][0]) == ["device", *EVENT_COLUMNS]
    assert list(by["low"][0]) == ["device", *ALARM_COLUMNS]
    assert {e["change"] for e in by["low"]} == {"opened", "closed", "silent"}
    assert len(by["low"]) > 40
    times = [e["event_time"] for e in by["low"]]
    assert times == sorted(times)


def test_of_each_device_openings_and_ends_take_turns(file: Path) -> None:
    turns: dict[str, list[bool]] = {}
    for event in run(file)[0]:
        if event["model"] == "low":
            turns.setdefault(event["device"], []).append(event["alarm"])
    for told in turns.values():
        assert told == [i % 2 == 0 for i in range(len(told))]


def test_a_reader_takes_two_changes_of_one_record_and_no_change_twice(file: Path) -> None:
    found, board = run(file)[0], Events()
    records = [json.dumps(e).encode() for e in found]
    assert [board.take(b"", record) is not None for record in records * 2] == [True] * len(found) + [False] * len(found)
    places = [tuple(e[name] for name in PLACE) for e in found if e["model"] == "low"]
    assert len(set(places)) < len(places)  # a value may open an alarm and be the last for long


def test_a_terminal_shows_the_times_of_an_event_as_times(file: Path) -> None:
    event = next(e for e in run(file)[0] if e["model"] == "low" and e["change"] == "closed")
    console = Console(file=io.StringIO(), width=400)
    console.print(table_of("events", [event]))
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    for name in ("event_time", "since", "until"):
        assert datetime.fromtimestamp(event[name] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") in told
        assert str(event[name]) not in told


def test_metrics_count_what_was_judged_and_told_under_the_name_of_the_alarm(file: Path) -> None:
    heard: list[Snapshot] = []
    local = LocalRun(piped().plan, file, Options(telling=LocalTelling(heard.append)))
    list(local)
    samples = durable(heard[-1].kept)
    there = sum(json.loads(raw)["value"] is not None for raw in file.read_bytes().splitlines())
    assert samples[c.SCORED.name]["low",] == there
    assert samples[c.EVENTS.name]["low",] == len([e for e in run(file)[0] if e["model"] == "low"])


def test_a_plan_of_alarms_alone_has_events_and_one_of_windows_alone_has_none(file: Path) -> None:
    only = Pipeline("x").source("a", time="t", key="device").field("value", "float", required=False)
    only = only.window("w", size="1h", n="count()")
    told: list[dict[str, Any]] = []
    list(only.alarm("low", "value", below=8).run(input=str(file), events=told.append))
    assert told
    with pytest.raises(UsageError, match="has no model or alarm"):
        only.run(input=str(file), events=print)
