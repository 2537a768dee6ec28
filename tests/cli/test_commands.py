"""check, version and demo: what they print and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from lepton_stream import __version__
from lepton_stream.cli.main import outcome
from lepton_stream.pipeline.plan_hash import plan_hash
from lepton_stream.pipeline.source import find
from tests.runtime.events import plan_file


def test_check_says_good_with_the_hash_of_the_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = plan_file(tmp_path)
    assert outcome(["check", str(path)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == f"events: good (plan {plan_hash(find(str(path)))})"
    assert "mean(value)" in out
    assert err == ""


def test_check_of_a_bad_plan_prints_nothing_to_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = plan_file(tmp_path)
    path.write_text(path.read_text().replace("count()", "cuont()"))
    assert outcome(["check", str(path), "--json"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "did you mean count" in err


def test_check_json_is_the_plan_and_fits_what_was_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["check", str(plan_file(tmp_path)), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["name"] == "events"
    assert found["source"]["topic"] == "events.v1"
    assert [w["name"] for w in found["window"]] == ["ten"]
    assert found["hash"] == plan_hash(find(str(tmp_path / "json.toml")))


def test_check_schema_is_a_json_schema_that_takes_the_shipped_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["check", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert {"name", "source", "window"} <= set(schema["required"])


def test_version_is_told_in_words_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["version"]) == 0
    assert __version__ in capsys.readouterr().out
    assert outcome(["version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lepton-stream"] == __version__


def test_demo_prints_a_table_of_results_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["demo", "iot/air_quality", "--no-broker", "--rows", "5"]) == 0
    out, err = capsys.readouterr()
    assert "air-quality: the last 5 results" in out
    assert out.count("2013-03-") == 5
    assert "read 4,032 = accepted 4,032" in err


def test_the_demo_fits_a_terminal_of_80_characters_with_nothing_cut_off(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert outcome(["demo", "iot/air_quality", "--no-broker"]) == 0
    out = capsys.readouterr().out
    assert "…" not in out
    assert "missing" in out
    assert max(map(len, out.splitlines())) <= 80


def test_demo_of_an_unknown_pipeline_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["demo", "iot/nope"]) == 2
    assert "iot/air_quality" in capsys.readouterr().err


def test_help_of_every_command_ends_well_and_gives_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("run", "check"):
        assert outcome([command, "--help"]) == 0
        assert f"lepton-stream {command} " in capsys.readouterr().out


def test_a_field_name_cannot_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = {"t": 1, "device": "d", "id": "1", "value": 1.5, "\x1b[2Jevil\n": 1}
    (tmp_path / "in.jsonl").write_text(json.dumps(record))
    assert outcome(["run", str(plan_file(tmp_path)), "-i", str(tmp_path / "in.jsonl")]) == 0
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert "\\x1b[2Jevil\\n" in err
