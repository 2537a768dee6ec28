"""The Overview: what people see first, that every panel explains itself, and that building it again changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import units

from lepton_stream.grafana.build import build
from lepton_stream.grafana.files import FOLDER, check
from lepton_stream.grafana.overview import OVERVIEW
from lepton_stream.grafana.screen import Panel

PANELS = [pytest.param(panel, id=panel.title) for panel in OVERVIEW.panels]
UNITS = {value for name, value in vars(units).items() if name[0].isupper() and isinstance(value, str)}


@pytest.fixture(scope="module")
def built() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(build(OVERVIEW))
    return found


def test_the_first_row_asks_fresh_right_fast_and_colours_the_answers(built: dict[str, Any]) -> None:
    first = built["panels"][:3]
    assert [panel["title"] for panel in first] == ["Fresh", "Right", "Fast"]
    assert [panel["type"] for panel in first] == ["stat"] * 3
    assert {panel["gridPos"]["y"] for panel in first} == {0}
    for panel in first:
        colours = [step["color"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        assert "green" in colours
        assert len(colours) > 1


def test_right_turns_red_at_one_record(built: dict[str, Any]) -> None:
    steps = built["panels"][1]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert steps == [{"color": "green", "value": None}, {"color": "red", "value": 1.0}]


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_says_what_is_good_and_has_a_unit(panel: Panel) -> None:
    assert "Good: " in panel.description or "green" in panel.description or "red" in panel.description
    assert len(panel.description) > 60
    assert panel.description.endswith(".")
    assert panel.unit in UNITS
    assert all(query.unit is None or query.unit in UNITS for query in panel.queries)


def test_every_query_is_of_the_chosen_pipelines_and_data_source(built: dict[str, Any]) -> None:
    panels = [panel for panel in built["panels"] if panel["type"] != "row"]
    assert len(panels) == len(OVERVIEW.panels)
    for panel in panels:
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            assert target["expr"].count("lepton_") == target["expr"].count('pipeline=~"$pipeline"')
    assert [variable["name"] for variable in built["templating"]["list"]] == ["datasource", "pipeline"]


def test_panels_have_their_own_number_and_do_not_overlap(built: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in built["panels"]]
    assert len(set(ids)) == len(ids)
    seen: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in built["panels"]):
        assert place["x"] + place["w"] <= 24
        own = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not own & seen
        seen |= own


def test_building_twice_gives_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    made = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        command = [sys.executable, "-m", "lepton_stream", "dashboards", "build", "--out", str(out)]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed})
        made.append((out / "overview.json").read_bytes())
    assert made[0] == made[1] == build(OVERVIEW)


def test_the_committed_dashboard_is_what_the_code_builds() -> None:
    assert check() == []
    assert [path.name for path in FOLDER.iterdir()] == ["overview.json"]


def test_grafanas_own_reader_loses_nothing_of_it(built: dict[str, Any]) -> None:
    read = model.Dashboard.from_json(built)
    assert json.loads(json.dumps(read, cls=JSONEncoder)) == built
