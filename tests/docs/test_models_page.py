"""What docs/models.md shows is a good section, and its event has the columns that events have."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lepton_stream.pipeline.catalogue import SCORES
from lepton_stream.pipeline.models import EVENT_COLUMNS
from lepton_stream.pipeline.toml_front import parse

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
HEAD = """
name = "air"
[source]
topic = "readings"
time = "ts"
key = "station"
[fields]
pm25 = "float"
[[window]]
name = "hour"
size = "1h"
[window.results]
n = "count()"
"""


def test_the_section_shown_is_one_of_a_good_plan_and_every_kind_has_its_line() -> None:
    (shown,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert parse(HEAD + shown, "air.toml").models[0].threshold == 5
    for signature in SCORES.values():
        assert f"`{signature}`" in PAGE


def test_the_event_shown_has_the_columns_of_an_event_and_adds_up() -> None:
    (shown,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    event = json.loads(shown)
    assert list(event) == ["station", *EVENT_COLUMNS]
    assert round((event["seen"] - event["expected"]) / event["deviation"], 1) == event["score"]
