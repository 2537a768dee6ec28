"""Models on Apache Kafka: the events of the files, under the key of their group, whatever is killed meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lepton_stream.api.on_broker import OnBroker, run_on_broker
from lepton_stream.errors import UsageError
from tests.acceptance.commands import lines, run
from tests.kafka_pipeline.expected import write_planted
from tests.kafka_pipeline.pipe import PLANTED, Pipe
from tests.kafka_pipeline.told_events import done_though_workers_were_killed, of_files, tailed

MODELS = """
[[model]]
name = "level"
score = "robust_z(value, 32)"
threshold = 2.5
lateness = "30s"
[[model]]
name = "step"
by = ["status"]
score = "ewma(value)"
threshold = 2
lateness = "30s"
where = "seq % 2 == 0"
"""


@pytest.fixture
def pipe(bootstrap: str, tmp_path: Path) -> Iterator[Pipe]:
    """The planted pipeline with models; time does not pass by itself, so that nothing is overtaken by idleness."""
    text = PLANTED.read_text().replace("[source]", '[source]\nidle = "wait"') + MODELS
    with Pipe(tmp_path, bootstrap, text) as made:
        made.apply()
        yield made


def published(pipe: Pipe) -> list[str]:
    """The events in their topic, each place once; those of one place are the same bytes."""
    found: dict[tuple[object, ...], bytes] = {}
    for stored in pipe.stored(pipe.names.events):
        assert stored.value is not None
        row = json.loads(stored.value)
        place = row["model"], row["source_topic"], row["source_partition"], row["source_offset"]
        assert found.setdefault(place, stored.value) == stored.value
        group = row["device"] if row["model"] == "level" else row["status"]
        assert json.loads(stored.key or b"") == [group]
        assert (row["source_topic"], row["alarm"], row["field"]) == (pipe.source, True, "value")
    return sorted(json.dumps(json.loads(value)) for value in found.values())


@pytest.mark.kafka
def test_events_are_those_of_the_files_and_the_run_and_tail_tell_each_once(pipe: Pipe) -> None:
    file = write_planted(pipe.folder / "in.jsonl", 20_000, seed=23)
    expected = of_files(pipe, file)
    assert len(expected) > 300
    pipe.feed(file)
    done = pipe.to_the_end()
    assert published(pipe) == expected
    assert done.stats["events"] == len(expected)
    assert sorted(map(json.dumps, done.events)) == expected
    places = [(e["event_time"], e["source_partition"], e["source_offset"]) for e in done.events]
    assert places == sorted(places)
    told = tailed(pipe)
    assert told.returncode == 0, told.stderr
    assert sorted(json.dumps(json.loads(line)) for line in told.stdout.splitlines()) == expected


@pytest.mark.kafka
def test_python_hands_the_events_of_a_run_with_an_end_to_a_function_or_a_file(pipe: Pipe) -> None:
    file = write_planted(pipe.folder / "in.jsonl", 5000, seed=25)
    expected = of_files(pipe, file)
    pipe.feed(file)
    told: list[dict[str, object]] = []
    run_on_broker(pipe.plan, OnBroker(pipe.bootstrap, until_end=True, events=told.append))
    assert sorted(map(json.dumps, told)) == expected
    again = pipe.folder / "again.jsonl"
    run_on_broker(pipe.plan, OnBroker(pipe.bootstrap, until_end=True, events=again))
    assert lines(again) == told
    with pytest.raises(UsageError, match="needs --until-end"):
        run_on_broker(pipe.plan, OnBroker(pipe.bootstrap, events=again))


@pytest.mark.kafka
def test_events_are_those_of_the_files_after_workers_were_killed(pipe: Pipe) -> None:
    file = write_planted(pipe.folder / "in.jsonl", 60_000, seed=24)
    expected = of_files(pipe, file)
    done = done_though_workers_were_killed(pipe, file)
    assert published(pipe) == expected
    assert sorted(map(json.dumps, done.events)) == expected
    assert done.stats["events"] == len(expected)


@pytest.mark.kafka
def test_a_pipeline_without_models_has_no_events_to_tail(pipe: Pipe) -> None:
    pipe.write(PLANTED.read_text())
    told = run("tail", pipe.path, "--broker", pipe.bootstrap, "--events")
    assert told.returncode == 2
    assert b"has no [[model]]" in told.stderr
