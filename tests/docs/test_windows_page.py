"""The sections that docs/windows.md shows are good ones."""

from __future__ import annotations

import re
from pathlib import Path

from lepton_stream.pipeline.toml_front import parse

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "windows.md").read_text(encoding="utf-8")
HEAD = """
name = "air"
[source]
topic = "readings"
time = "ts"
key = "station"
[fields]
pm25 = "float"
"""


def test_every_kind_shown_is_a_section_of_a_good_plan() -> None:
    shown = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    results = '[window.results]\nn = "count()"\n'
    plans = [parse(HEAD + text + ("" if "results" in text else results), "air.toml") for text in shown]
    assert [(w.kind, w.overlap) for plan in plans for w in plan.windows] == [("tumbling", 1), ("hopping", 24)]
