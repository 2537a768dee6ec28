from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lepton_stream.pipeline.keys import PIPELINE
from lepton_stream.pipeline.schema import json_schema, schema_text
from lepton_stream.pipeline.source import find, shipped
from lepton_stream.pipeline.to_dict import to_dict
from tests.pipeline.plans import EXAMPLE, small, with_fields, with_source, with_window

DOCS = Path(__file__).parents[2] / "docs" / "plan.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_file_in_docs_is_the_schema() -> None:
    assert DOCS.read_bytes() == schema_text(), "run: python -m lepton_stream.pipeline.schema > docs/plan.schema.json"


def test_example_of_the_design_fits_the_schema() -> None:
    VALIDATOR.validate(tomllib.loads(EXAMPLE))


@pytest.mark.parametrize("name", shipped())
def test_shipped_pipelines_fit_the_schema_as_written_and_written_out(name: str) -> None:
    path = Path(__file__).parents[2] / "lepton_stream" / "pipelines" / f"{name}.toml"
    VALIDATOR.validate(tomllib.loads(path.read_text("utf-8")))
    VALIDATOR.validate(to_dict(find(name)))


@pytest.mark.parametrize(
    "data",
    [
        small(nmae="x"),
        small(name="Air"),
        small(version=0),
        small(window=[]),
        small(source=None),
        small(dedup={"memry": 1}),
        small(topics={"partitons": 1}),
        with_source(tpoic="x"),
        with_source(file={"formt": "csv"}),
        with_source(file={"time": {"columns": ["y"], "zon": "UTC"}}),
        with_source(max_ahead="5"),
        with_source(key=["a", "a"]),
        with_fields(x={"type": "float", "mni": 0}),
        with_fields(x="flaot"),
        with_fields(x={"type": "float", "on_bad": {"defalt": 1}}),
        with_window(siez="1h"),
        with_window(size=None),
        with_window(results={}),
        with_window(kind="sliding"),
    ],
)
def test_misspelt_keys_and_wrong_values_fail_the_schema(data: dict[str, Any]) -> None:
    VALIDATOR.validate(small())
    assert not VALIDATOR.is_valid(data)


def test_every_key_of_the_tables_is_described() -> None:
    properties = json_schema()["properties"]
    assert set(properties) == {key.name for key in PIPELINE.keys}
    assert properties["source"]["properties"]["max_ahead"]["default"] == "1h"
    assert all(p["description"] for p in properties.values())
