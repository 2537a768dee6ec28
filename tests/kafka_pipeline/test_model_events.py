"""Models on Apache Kafka: the events of the files, under the key of their group, whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from lepton_stream.api.on_broker import OnBroker, run_on_broker
from lepton_stream.cli.main import outcome
from lepton_stream.errors import UsageError
from tests.acceptance.commands import lines, run
from tests.kafka_pipeline.expected import write_planted
from tests.kafka_pipeline.pipe import PARTITIONS, PLANTED, Pipe, until

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


def of_files(pipe: Pipe, file: Path) -> list[str]:
    """The events of a run over the file, split as the topic is."""
    out, events = pipe.folder / "expected.jsonl", pipe.folder / "expected.events.jsonl"
    split = ["--partitions", str(PARTITIONS), "--output", str(out), "--events", str(events), "--quiet"]
    assert outcome(["run", str(pipe.path), "--input", str(file), *split]) == 0
    return sorted(map(json.dumps, lines(events)))


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
    told = run(
        "tail", pipe.path, "--broker", pipe.bootstrap, "--events", "--from-start", "--until-quiet", "0.5", "--json"
    )
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


def _counted(pipe: Pipe, least: int) -> bool:
    return pipe.counted() >= least


@pytest.mark.kafka
def test_events_are_those_of_the_files_after_workers_were_killed(pipe: Pipe) -> None:
    file = write_planted(pipe.folder / "in.jsonl", 60_000, seed=24)
    expected = of_files(pipe, file)
    one = pipe.run(workers=2)
    feeding = pipe.feeding(file, rate=7000)
    for share in (15_000, 35_000):
        until(partial(_counted, pipe, share), 60, f"{share} records")
        os.kill(until(lambda: one.workers, 30, "a worker")[0], signal.SIGKILL)
    assert feeding.wait() == 0
    one.process.send_signal(signal.SIGTERM)
    one.wait()
    done = pipe.to_the_end()
    assert published(pipe) == expected
    assert sorted(map(json.dumps, done.events)) == expected
    assert done.stats["events"] == len(expected)


@pytest.mark.kafka
def test_a_pipeline_without_models_has_no_events_to_tail(pipe: Pipe) -> None:
    pipe.write(PLANTED.read_text())
    told = run("tail", pipe.path, "--broker", pipe.bootstrap, "--events")
    assert told.returncode == 2
    assert b"has no [[model]]" in told.stderr
