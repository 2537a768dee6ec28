"""Every shipped pipeline is measured over its sample, repeated, and each copy counts as the sample does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from lepton_stream.bench.domains import BAR, BAR_WITH_MODELS, domains_lines, refuse_other
from lepton_stream.bench.replay import Replay
from lepton_stream.cli.main import outcome
from lepton_stream.errors import IntegrityError
from lepton_stream.pipeline.source import shipped

WEEK = timedelta(weeks=1)


def test_bench_domains_measures_every_shipped_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["bench", "domains", "--records", "5000", "--runs", "1", "--json"]) == 0, capsys.readouterr().err
    told = json.loads(capsys.readouterr().out)
    assert tuple(told["pipelines"]) == shipped()
    for name, found in told["pipelines"].items():
        events = len(Replay.of(name).events)
        assert (found["events"] % events, found["events"] >= 5000) == (0, True)
        assert found["results"] > 0
        assert found["events_per_second"]["median"] > 0
    lines = domains_lines(told)
    assert all(any(line.startswith(f"| `{name}` |") for line in lines) for name in shipped())


def test_an_unknown_pipeline_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["bench", "domains", "iot/nope", "--records", "1000"]) == 2
    assert "iot/air_quality" in capsys.readouterr().err


def test_the_table_names_what_is_below_the_bar() -> None:
    def found(rate: float, models: int = 0) -> dict[str, Any]:
        cpu, clock = ({"median": value, "lowest": value, "highest": value, "runs": 1} for value in (1e6 / rate, 1.0))
        size = {
            "events": 1,
            "event_bytes": 1.0,
            "results": 1,
            "models": models,
        }  # by the clock it is slow: others are on the core
        return {**size, "events_per_second": clock, "cpu_seconds_per_million": cpu}

    slow, fast = found(BAR), found(BAR + 1)
    assert domains_lines({"pipelines": {"a/fast": fast, "a/slow": slow}})[-1].endswith("not a/slow.")
    assert domains_lines({"pipelines": {"a/fast": fast}})[-1].endswith("all do.")
    scoring, slowly = found(BAR_WITH_MODELS + 1, models=1), found(BAR_WITH_MODELS, models=1)
    assert domains_lines({"pipelines": {"a/fast": scoring, "a/slow": slowly}})[-1].endswith("not a/slow.")


@pytest.mark.parametrize("name", shipped())
def test_copies_are_the_sample_weeks_earlier_by_the_same_clock(name: str) -> None:
    replay = Replay.of(name)
    time = replay.plan.source.time
    assert list(replay.copy(0)) == replay.events
    apart = timedelta(microseconds=replay.span_us)
    assert apart % WEEK == timedelta(0)
    for event, earlier in zip(replay.events[::500], list(replay.copy(3))[::500], strict=True):
        if isinstance(event[time], str):
            assert datetime.fromisoformat(event[time]) - datetime.fromisoformat(earlier[time]) == 3 * apart
            assert event[time][19:] == earlier[time][19:]  # fraction and zone
        else:
            assert event[time] - earlier[time] == 3 * apart.total_seconds()
    ids = replay.plan.source.id
    if isinstance(ids, tuple):
        told_apart = {tuple(event[name] for name in ids) for copy in (0, 1, 2) for event in replay.copy(copy)}
        assert len(told_apart) == 3 * len({tuple(event[name] for name in ids) for event in replay.events})


def test_the_oldest_copy_comes_first_and_is_read_as_lines_of_json(tmp_path: Any) -> None:
    replay = Replay.of("iot/air_quality")
    replay = replace(replay, events=replay.events[:2])
    plan, events = replay.write(tmp_path, 2, "some")
    times = [json.loads(line)["ts"] for line in events.read_bytes().splitlines()]
    assert times == sorted(times)
    assert len(set(times)) >= 2
    assert "[source.file]" not in plan.read_text()


def test_copies_that_count_differently_are_an_error_and_no_figure() -> None:
    once = {"read": 5, "accepted": 3, "duplicate": 1, "late": 0, "results": 2, "dead_lettered": {"missing_field": 1}}
    twice = {"read": 10, "accepted": 6, "duplicate": 2, "late": 0, "results": 4, "dead_lettered": {"missing_field": 2}}
    refuse_other("some", 2, once, twice)
    differing: list[dict[str, Any]] = [{"accepted": 7}, {"results": 3}, {"dead_lettered": {}}]
    for wrong in differing:
        with pytest.raises(IntegrityError, match="2 copies of the sample of some"):
            refuse_other("some", 2, once, twice | wrong)
