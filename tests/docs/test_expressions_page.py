"""What docs/expressions.md shows is a plan, and what it says of a mistake is what is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lepton_stream.errors import PlanError
from lepton_stream.expression.catalogue import FUNCTIONS
from lepton_stream.pipeline.toml_front import parse

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "expressions.md").read_text(encoding="utf-8")
(TOML,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_example_is_a_good_plan() -> None:
    plan = parse(TOML, "sales.toml")
    assert [d.name for d in plan.derived] == ["revenue", "is_return", "size", "hour"]


def test_the_mistake_is_told_as_shown() -> None:
    with pytest.raises(PlanError) as caught:
        parse(TOML.replace("quantity * price", "quantity * prize"), "sales.toml")
    assert f"$ lepton-stream check sales.toml\n{caught.value}\n" in PAGE


def test_every_function_is_listed() -> None:
    assert [name for name, f in FUNCTIONS.items() if f"| `{f.shown}` |" not in PAGE] == []
