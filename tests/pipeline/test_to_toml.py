from __future__ import annotations

from dataclasses import replace

import pytest

from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.plan import Objective
from lepton_stream.pipeline.source import find, shipped
from lepton_stream.pipeline.to_toml import to_toml
from lepton_stream.pipeline.toml_front import parse
from tests.pipeline.plans import example


@pytest.mark.parametrize("name", shipped())
def test_the_toml_of_a_shipped_plan_makes_the_same_plan(name: str) -> None:
    assert parse(to_toml(find(name)), name) == find(name)


def test_the_toml_of_a_plan_makes_the_same_plan() -> None:
    assert parse(to_toml(example()), "example") == example()


def test_the_toml_of_a_plan_with_an_objective_makes_the_same_plan() -> None:
    plan = replace(example(), objective=Objective(200_000))
    assert '[objective]\nfreshness_p99 = "200ms"' in to_toml(plan)
    assert parse(to_toml(plan), "example") == plan


def test_strange_names_and_values_survive() -> None:
    plan = (
        Pipeline("air")
        .source("t", time="ts", key="Größe [m].x", id="all")
        .field("Größe [m].x", str, one_of=["\x7f", "\n\t", "ü€", "[x]"], on_bad={"default": "[x]"})
        .field("ts", float, min=-1e300, max=1e-300)
        .file(format="csv", delimiter="\t", null=["", "NA"], rename={"No": "ts"})
        .window("w", size="1m", results={"n": "count()"})
        .plan
    )
    assert parse(to_toml(plan), "strange") == plan
