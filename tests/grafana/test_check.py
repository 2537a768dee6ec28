"""Mistakes planted into a good dashboard are found and named."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lepton_stream.cli.main import outcome
from lepton_stream.grafana import files
from lepton_stream.grafana.build import build
from lepton_stream.grafana.check import misread, problems
from lepton_stream.grafana.overview import OVERVIEW

GOOD = build(OVERVIEW)
Change = Callable[[dict[str, Any]], object]


def test_the_overview_has_no_problem() -> None:
    assert problems(GOOD) == []


def panel(found: dict[str, Any], title: str) -> dict[str, Any]:
    return next(p for p in found["panels"] if p["title"] == title)


def query(found: dict[str, Any], title: str = "Outcomes") -> dict[str, Any]:
    first: dict[str, Any] = panel(found, title)["targets"][0]
    return first


PLANTED: dict[str, tuple[Change, str]] = {
    "mistyped key of the dashboard": (lambda d: d.update(refrsh="5s"), "'refrsh' was unexpected"),
    "mistyped key of a panel": (lambda d: panel(d, "Fresh").update(descripton="x"), "panel 'Fresh': Additional"),
    "title that is no text": (lambda d: panel(d, "Lag").update(title=3), "is not of type 'string'"),
    "option of another kind": (lambda d: panel(d, "Fresh")["options"].update(legend={}), "'Fresh', options"),
    "unknown colour mode": (lambda d: panel(d, "Right")["options"].update(colorMode="loud"), "colorMode"),
    "line width in words": (
        lambda d: panel(d, "Lag")["fieldConfig"]["defaults"]["custom"].update(lineWidth="one"),
        "lineWidth",
    ),
    "query with a wrong key": (lambda d: query(d).update(legend="x"), "panel 'Outcomes', query A: Additional"),
    "kind without a schema": (lambda d: panel(d, "Lag").update(type="flamegraph"), "no schema for it"),
    "metric that is not there": (
        lambda d: query(d).update(expr="sum by (outcome) (lepton_record_total)"),
        "no metric lepton_record_total (did you mean lepton_records_total?)",
    ),
    "label that is not there": (
        lambda d: query(d).update(expr='sum by (outcome) (lepton_records_total{outcom="late"})'),
        "lepton_records_total has no label outcom; it has outcome, partition, pipeline, topic",
    ),
    "grouping by a label that is not there": (
        lambda d: query(d).update(expr="sum by (outcome, agent) (lepton_records_total)"),
        "has no label agent",
    ),
    "legend of a label that is gone": (lambda d: query(d).update(legendFormat="{{topic}}"), "legend names topic"),
    "no metric at all": (lambda d: query(d).update(expr="vector(1)", legendFormat=""), "it reads no metric"),
    "annotation on a metric that is not there": (
        lambda d: d["annotations"]["list"][0].update(expr="lepton_builds"),
        "annotation 'New version': no metric lepton_builds",
    ),
    "variable of a label that is not there": (
        lambda d: d["templating"]["list"][1].update(query="label_values(lepton_up, pipline)"),
        "variable 'pipeline': lepton_up has no label pipline",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_found(name: str) -> None:
    change, says = PLANTED[name]
    found = json.loads(GOOD)
    change(found)
    assert any(says in problem for problem in problems(json.dumps(found).encode())), problems(
        json.dumps(found).encode()
    )


def test_what_is_no_json_is_one_problem() -> None:
    assert len(problems(b"{")) == 1


def test_histograms_are_read_by_their_parts() -> None:
    assert list(misread("rate(lepton_checkpoint_seconds_bucket[5m])")) == []
    assert list(misread("sum by (le) (rate(lepton_checkpoint_seconds_bucket[5m]))")) == []
    assert list(misread("rate(lepton_checkpoint_seconds[5m])")) != []
    assert list(misread("sum by (le) (rate(lepton_checkpoint_seconds_sum[5m]))")) != []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The committed dashboards, somewhere else."""
    files.write(tmp_path)
    monkeypatch.setattr(files.check, "__defaults__", (tmp_path,))
    return tmp_path


def test_check_says_good_and_ends_with_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["dashboards", "check"]) == 0
    assert capsys.readouterr().out == "overview.json: good\n"


def test_check_ends_with_1_and_the_remedy_where_the_committed_one_is_stale_or_missing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "overview.json").write_bytes(GOOD.replace(b"Fresh", b"Fersh"))
    assert outcome(["dashboards", "check"]) == 1
    assert "is not what the code builds; build it anew: lepton-stream dashboards build" in capsys.readouterr().err
    (folder / "overview.json").unlink()
    (folder / "other.json").write_text("{}")
    assert outcome(["dashboards", "check"]) == 1
    err = capsys.readouterr().err
    assert "overview.json is missing" in err
    assert "other.json: no code builds it" in err


def test_build_into_a_file_that_is_no_folder_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("")
    assert outcome(["dashboards", "build", "--out", str(tmp_path / "taken")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_without_the_extra_the_message_names_it_and_help_still_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "grafana_foundation_sdk.builders", None)
    for name in ("build", "files"):
        monkeypatch.delitem(sys.modules, f"lepton_stream.grafana.{name}")
    assert outcome(["dashboards", "build", "--out", str(tmp_path)]) == 2
    assert "pip install 'lepton-stream[dashboards]'" in capsys.readouterr().err
    assert outcome(["--help"]) == 0
