"""Texts and shorthands that the tests of the plan share."""

from __future__ import annotations

from typing import Any

import pytest

from lepton_stream.errors import PlanError, Problem
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.check import check
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.toml_front import parse

EXAMPLE = """\
name = "air-quality"

[source]
topic = "iot.air.readings.v1"
format = "json"
time = "ts"
time_unit = "s"
key = ["station"]
id = ["station", "ts"]

[fields]
station = "str"
ts = "float"
pm25 = { type = "float", min = 0, max = 1000, on_bad = "reject" }
no2 = { type = "float", required = false }

[topics]
partitions = 4
replication = 1

[dedup]
memory = 1_000_000

[[window]]
name = "hour"
kind = "tumbling"
size = "1h"
lateness = "10m"
emit = "final"
group_by = ["station"]
[window.results]
n = "count()"
mean = "mean(pm25)"
"""
"""The example of the design, without what this version refuses."""


def small(**changes: Any) -> dict[str, Any]:
    """A small good plan with top-level keys changed; None takes a key away."""
    data: dict[str, Any] = {
        "name": "air",
        "source": {"topic": "readings", "time": "ts", "key": "station"},
        "fields": {"pm25": "float", "city": "str", "wind": {"type": "str", "required": False}},
        "window": [{"name": "hour", "size": "1h", "results": {"n": "count()"}}],
    }
    return {key: value for key, value in (data | changes).items() if value is not None}


def small_in_python() -> Pipeline:
    """The same plan, built."""
    pipeline = Pipeline("air").source("readings", time="ts", key="station").field("pm25", float).field("city", str)
    return pipeline.field("wind", str, required=False).window("hour", size="1h", n="count()")


def with_source(**keys: Any) -> dict[str, Any]:
    """The small plan with keys of [source] changed or added; None takes one away."""
    source = small()["source"] | keys
    return small(source={key: value for key, value in source.items() if value is not None})


def with_fields(**fields: Any) -> dict[str, Any]:
    """The small plan with fields changed or added."""
    return small(fields=small()["fields"] | fields)


def with_window(**keys: Any) -> dict[str, Any]:
    """The small plan with keys of its window changed or added; None takes one away."""
    window = small()["window"][0] | keys
    return small(window=[{key: value for key, value in window.items() if value is not None}])


def problems(data: Any) -> tuple[Problem, ...]:
    """What `check` finds wrong with a dict."""
    with pytest.raises(PlanError) as caught:
        check(data)
    return caught.value.problems


def told(data: Any) -> list[str]:
    """The same, as lines."""
    return [str(p) for p in problems(data)]


def toml_lines(text: str) -> list[str]:
    """The lines of the error that a TOML text of this name gives."""
    with pytest.raises(PlanError) as caught:
        parse(text, "air.toml")
    return str(caught.value).splitlines()


def example() -> Plan:
    """The plan of EXAMPLE."""
    return parse(EXAMPLE, "air.toml")
