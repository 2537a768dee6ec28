"""Alarms and pseudonyms on Apache Kafka: the events of the files, and names in no topic but the source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lepton_stream.runtime.pseudonym_secret import DEMO_SECRET, VARIABLE
from tests.acceptance.commands import run
from tests.cleaning.test_pseudonyms import by_definition
from tests.kafka_pipeline.expected import write_planted
from tests.kafka_pipeline.pipe import PLANTED, Pipe
from tests.kafka_pipeline.told_events import done_though_workers_were_killed, of_files, tailed

ALARMS = """
[[alarm]]
name = "high"
field = "value"
above = 25
back = 22
open_values = 2
lateness = "30s"
forget = "20s"
[[alarm]]
name = "by-status"
by = ["status"]
field = "value"
below = 18
back = 20
open_after = "100ms"
close_after = "50ms"
lateness = "30s"
"""
DEVICE = 'device = "str"'


@pytest.fixture
def pipe(bootstrap: str, tmp_path: Path) -> Iterator[Pipe]:
    """The planted pipeline with alarms, its devices pseudonyms; time does not pass by itself."""
    text = PLANTED.read_text().replace("[source]", '[source]\nidle = "wait"') + ALARMS
    assert DEVICE in text
    with Pipe(tmp_path, bootstrap, text.replace(DEVICE, 'device = { type = "str", pseudonym = true }')) as made:
        made.apply()
        yield made


def published(pipe: Pipe) -> list[str]:
    """The events in their topic, each turn once; those of one turn are the same bytes."""
    found: dict[tuple[object, ...], bytes] = {}
    for stored in pipe.stored(pipe.names.events):
        assert stored.value is not None
        row = json.loads(stored.value)
        turn = row["model"], row["change"], row["source_topic"], row["source_partition"], row["source_offset"]
        assert found.setdefault(turn, stored.value) == stored.value
        assert json.loads(stored.key or b"") == [row["device"] if row["model"] == "high" else row["status"]]
    return sorted(json.dumps(json.loads(value)) for value in found.values())


@pytest.mark.kafka
def test_events_are_those_of_the_files_and_no_topic_but_the_source_holds_a_name(pipe: Pipe) -> None:
    file = write_planted(pipe.folder / "in.jsonl", 20_000, seed=23)
    expected = of_files(pipe, file)
    assert len(expected) > 300
    pipe.feed(file)
    done = pipe.to_the_end()
    assert published(pipe) == expected
    assert done.stats["events"] == len(expected)
    told = tailed(pipe)
    assert sorted(json.dumps(json.loads(line)) for line in told.stdout.splitlines()) == expected
    names = devices(file)
    assert len(names) > 10
    assert any(name in (s.value or b"") for s in pipe.stored(pipe.source) for name in names)
    for topic in (pipe.names.results, pipe.names.events, pipe.names.late, pipe.names.dead_letters, pipe.names.shuffle):
        held = b"".join(repr((s.key, s.value, s.headers)).encode() for s in pipe.stored(topic))
        assert held or topic == pipe.names.shuffle  # which is cut once it is folded
        assert not [name for name in names if name in held], topic
    people = {by_definition(DEMO_SECRET, name).encode() for name in names}
    results = b"".join(s.value or b"" for s in pipe.stored(pipe.names.results))
    assert sum(person in results for person in people) > 10
    listed = run("dlq", "replay", pipe.path, "--broker", pipe.bootstrap)
    assert listed.returncode == 2
    assert b"only point at their records" in listed.stderr


def devices(file: Path) -> set[bytes]:
    """The names in the file, as far as records can be read."""
    found = set()
    for line in file.read_bytes().splitlines():
        try:
            found.add(json.loads(line)["device"].encode())
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
    return {name for name in found if len(name) > 4}


@pytest.mark.kafka
def test_events_are_those_of_the_files_after_workers_were_killed(pipe: Pipe) -> None:
    file = write_planted(pipe.folder / "in.jsonl", 60_000, seed=24)
    expected = of_files(pipe, file)
    done = done_though_workers_were_killed(pipe, file)
    assert published(pipe) == expected
    assert done.stats["events"] == len(expected)


@pytest.mark.kafka
def test_a_worker_with_another_secret_is_refused_and_told_why(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe.feed(write_planted(pipe.folder / "in.jsonl", 2_000, seed=25))
    pipe.to_the_end()
    monkeypatch.setenv(VARIABLE, "another secret of enough bytes")
    code, said = pipe.refused(workers=1)
    assert code == 5
    assert any("the secret of its pseudonyms (behind the dash) is another one" in line for line in said)
