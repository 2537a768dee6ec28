"""`[window.derive]` in plans: both front ends, what is refused and where the error points, the hash."""

from __future__ import annotations

from typing import Any

import pytest

from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.catalogue import SIGNATURES
from lepton_stream.pipeline.check import check
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.plan_hash import plan_hash
from lepton_stream.pipeline.show import describe
from lepton_stream.pipeline.to_dict import to_dict
from lepton_stream.pipeline.to_toml import to_toml
from lepton_stream.pipeline.toml_front import parse
from tests.pipeline.plans import told, toml_lines, with_window

SALES = """\
name = "sales"
[source]
topic = "sales.v1"
time = "ts"
key = "country"
[fields]
pieces = "int"
price = "float"
[[window]]
name = "day"
size = "24h"
[window.results]
n = "count()"
pieces = "sum(pieces)"
mean = "mean(price)"
std = "std(price)"
top = "top(pieces, 2)"
[window.derive]
cv = "std / mean"
uneven = "coalesce(cv > 0.5, false)"
home = 'country == "UK"'
each = "pieces / n"
"""


def derived(**columns: Any) -> dict[str, Any]:
    """The small plan with results of each kind, and these columns derived of them."""
    results = {"n": "count()", "mean": "mean(pm25)", "top": "top(city, 2)"}
    return with_window(results=results, derive=columns)


def test_toml_and_python_make_the_same_plan() -> None:
    built = (
        Pipeline("sales")
        .source("sales.v1", time="ts", key="country")
        .field("pieces", int)
        .field("price", float)
        .window(
            "day",
            size="24h",
            results={"n": "count()", "pieces": "sum(pieces)", "mean": "mean(price)", "std": "std(price)"},
            top="top(pieces, 2)",
            derive={
                "cv": "std / mean",
                "uneven": "coalesce(cv > 0.5, false)",
                "home": 'country == "UK"',
                "each": "pieces / n",
            },
        )
    )
    assert built.plan == parse(SALES, "sales.toml")


def test_a_plan_survives_its_dict_and_its_toml() -> None:
    plan = parse(SALES, "sales.toml")
    assert [d.name for d in plan.windows[0].derived] == ["cv", "uneven", "home", "each"]
    assert check(to_dict(plan)) == plan
    assert parse(to_toml(plan), "") == plan


def test_check_tells_what_is_computed_and_what_may_be_null() -> None:
    lines = describe(parse(SALES, "sales.toml"))
    assert "  cv: float, may be null, = std / mean" in lines
    assert "  uneven: bool = coalesce(cv > 0.5, false)" in lines
    assert '  home: bool = country == "UK"' in lines


def test_the_hash_knows_columns_and_their_order_and_no_spelling() -> None:
    def hashed(old: str = "", new: str = "") -> str:
        return plan_hash(parse(SALES.replace(old, new), ""))

    assert hashed("std / mean", "std/mean") == hashed()
    assert hashed("std / mean", "mean / std") != hashed()
    turned = SALES.replace('each = "pieces / n"\n', "").replace(
        "[window.derive]\n", '[window.derive]\neach = "pieces / n"\n'
    )
    assert plan_hash(parse(turned, "")) != hashed()


def test_a_plan_without_columns_says_nothing_of_them() -> None:
    assert "derive" not in to_dict(check(with_window(results={"n": "count()"})))["window"][0]
    assert check(with_window(derive={})) == check(with_window())


def test_a_mistake_is_told_with_its_place() -> None:
    lines = toml_lines(SALES.replace("std / mean", "std / maen").replace('name = "sales"', 'name = "air"'))
    assert lines[1] == (
        "  - air.toml:19:13: window[0].derive.cv: column 7: no result column or group field maen (did you mean mean?)"
    )


@pytest.mark.parametrize(
    ("columns", "wish"),
    [
        ({"x": "pm25 * 2"}, "no result column or group field pm25"),
        ({"x": "y", "y": "n"}, "y is derived further down"),
        ({"x": "length(top)"}, "expects single values; top is a list"),
        ({"mean": "n * 2"}, "expects a name of its own; mean is one of results already"),
        ({"station": "n"}, "expects a name of its own; station is one of group_by already"),
        ({"version": "n"}, "expects a name of its own; version is a column of every result already"),
        ({"x": "starts_with(mean, 'a')"}, 'starts_with(s, "C") takes text; this is a float'),
        ({"x": "n +"}, "column 4"),
    ],
)
def test_what_cannot_be_computed_is_refused(columns: dict[str, str], wish: str) -> None:
    (line,) = told(derived(**columns))
    assert wish in line


def test_a_result_with_a_problem_of_its_own_is_told_once() -> None:
    data = with_window(results={"n": "count()", "mean": "mean(nothing)"}, derive={"x": "mean * 2", "y": "x + n"})
    (line,) = told(data)
    assert "no field nothing" in line


@pytest.mark.parametrize("name", [name for name, s in SIGNATURES.items() if s.gives == "list"])
def test_lists_are_those_whose_help_says_so(name: str) -> None:
    assert "list of" in SIGNATURES[name].help
    assert [n for n, s in SIGNATURES.items() if "list of" in s.help and s.gives != "list"] == []


def test_a_group_of_a_derived_column_can_be_named() -> None:
    text = SALES.replace("[[window]]", '[derive]\nlarge = "pieces > 9"\n[[window]]').replace(
        'size = "24h"', 'size = "24h"\ngroup_by = ["country", "large"]'
    )
    plan: Plan = parse(text.replace("home = 'country == \"UK\"'", "small = 'not large'"), "")
    (small,) = [d for d in plan.windows[0].derived if d.name == "small"]
    assert (small.expression.root.kind, small.expression.root.nullable) == ("bool", False)
