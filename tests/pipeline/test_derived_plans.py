"""`[derive]` and `where` in plans: both front ends, what is refused and where the error points, the hash."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lepton_stream.errors import PlanError
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.check import check
from lepton_stream.pipeline.derived import MOST_DERIVED
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.plan_hash import plan_hash
from lepton_stream.pipeline.show import describe
from lepton_stream.pipeline.to_dict import to_dict
from lepton_stream.pipeline.to_toml import to_toml
from lepton_stream.pipeline.toml_front import parse
from tests.pipeline.plans import small, told, toml_lines, with_window

QUOTES = """\
name = "quotes"
[source]
topic = "quotes.v1"
time = "ts"
key = "symbol"
where = "bid > 0"
[fields]
bid = "float"
ask = { type = "float", required = false }
size = "int"
[derive]
mid = "(bid + ask) / 2"
spread = "ask - bid"
wide = "coalesce(spread > mid * 0.01, false)"
class = 'bucket(size, [100, 1000], ["odd", "round", "block"])'
[[window]]
name = "minute"
size = "1m"
group_by = ["symbol", "class", "wide"]
where = "size > 0"
[window.results]
n = "count()"
mid = "mean(mid)"
vwap = "weighted_mean(mid, size)"
"""


def quotes() -> Plan:
    return parse(QUOTES, "quotes.toml")


def small_deriving(derive: Any, **changes: Any) -> dict[str, Any]:
    return small(derive=derive, **changes)


def test_toml_and_python_make_the_same_plan() -> None:
    built = (
        Pipeline("quotes")
        .where("bid > 0")
        .source("quotes.v1", time="ts", key="symbol")
        .field("bid", float)
        .field("ask", float, required=False)
        .field("size", int)
        .derive("mid", "(bid + ask) / 2")
        .derive("spread", "ask - bid")
        .derive("wide", "coalesce(spread > mid * 0.01, false)")
        .derive("class", 'bucket(size, [100, 1000], ["odd", "round", "block"])')
        .window(
            "minute",
            size="1m",
            group_by=["symbol", "class", "wide"],
            where="size > 0",
            n="count()",
            mid="mean(mid)",
            vwap="weighted_mean(mid, size)",
        )
    )
    assert built.plan == quotes()


def test_plan_comes_back_from_its_dict_and_from_its_toml() -> None:
    plan = quotes()
    assert check(to_dict(plan)) == plan
    assert parse(to_toml(plan), "") == plan


def test_types_of_derived_columns_are_those_of_their_expressions() -> None:
    types = quotes().types
    assert {name: types[name] for name in ("mid", "spread", "wide", "class", "bid", "symbol")} == {
        "mid": "float",
        "spread": "float",
        "wide": "bool",
        "class": "str",
        "bid": "float",
        "symbol": "str",
    }


def test_every_expression_counts_for_the_hash_and_its_spelling_does_not() -> None:
    spelt = QUOTES.replace('"(bid + ask) / 2"', '" ( bid+ask )/2 "').replace("'bucket", "'  bucket")
    assert plan_hash(parse(spelt, "")) == plan_hash(quotes())
    changes = [("/ 2", "/ 3"), ('"bid > 0"', '"bid > 1"'), ('"size > 0"', '"size > 1"'), ("where =", "#")]
    hashes = {plan_hash(parse(QUOTES.replace(a, b), "")) for a, b in changes}
    assert len(hashes - {plan_hash(quotes())}) == len(changes)


def test_a_plan_that_derives_nothing_has_the_hash_it_always_had() -> None:
    plan = quotes()
    bare = replace(plan, derived=(), source=replace(plan.source, where=None), windows=())
    told_of = to_dict(bare)
    assert "derive" not in told_of
    assert "where" not in told_of["source"]


def test_what_is_derived_and_filtered_is_described() -> None:
    lines = describe(quotes())
    for line in (
        "derived columns",
        "  mid: float, may be null, = (bid + ask) / 2",
        '  class: str = bucket(size, [100, 1000], ["odd", "round", "block"])',
        "only records where bid > 0; others are accepted and enter no window",
        "  only records where size > 0",
    ):
        assert line in lines


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"derive": {"x": 3}}, 'derive.x is 3: expects an expression such as "(bid + ask) / 2"'),
        ({"derive": {"pm25": "1 + 1"}}, 'derive.pm25 is "1 + 1": expects a name of its own; pm25 is a field already'),
        ({"derive": {"station": "city"}}, 'derive.station is "city": expects a name of its own; station is a field'),
        ({"derive": "x"}, 'derive is "x": expects a table [derive]: name = "expression"'),
        ({"derive": {"x": "y + 1", "y": "pm25"}}, "derive.x: column 1: y is derived further down"),
        ({"derive": {"x": "pm52"}}, "derive.x: column 1: no field or derived column pm52 (did you mean pm25?)"),
    ],
)
def test_wrong_derived_columns_are_told(changes: dict[str, Any], line: str) -> None:
    assert told(small(**changes))[0].startswith(line)


@pytest.mark.parametrize(
    ("derive", "window", "line"),
    [
        ({"x": "pm25 * 2"}, {"group_by": "x"}, "expects a field of type str or int or bool; x is float"),
        ({"x": "lower(wind)"}, {"group_by": "x"}, "expects a column that is never null; coalesce(a, b) gives"),
        ({"x": "lower(city)"}, {"results": {"m": "mean(x)"}}, "mean(field) takes float or int; x is str"),
        (
            {},
            {"where": "pm25 + 1"},
            "window[0].where: column 1: expects a condition such as price > 0; this is a float",
        ),
        ({}, {"where": "pm25 >"}, "window[0].where: column 7: expects a value"),
        ({}, {"where": True}, 'window[0].where is true: expects an expression such as "(bid + ask) / 2"'),
    ],
)
def test_derived_columns_must_fit_where_they_are_used(derive: Any, window: dict[str, Any], line: str) -> None:
    data = with_window(**window) | {"derive": derive}
    assert line in told(data)[0]


def test_a_derived_column_with_a_problem_is_told_once() -> None:
    derive = {"a": "pm52", "b": "a + 1", "c": "pm25 +"}
    data = with_window(group_by=["a"], where="b > 1", results={"n": "mean(c)", "m": "mean(b)"}) | {"derive": derive}
    assert [line.partition(":")[0] for line in told(data)] == ["derive.c", "derive.a"]


def test_key_id_and_time_are_fields_of_the_record() -> None:
    source = {"topic": "readings", "time": "ts", "key": "station", "id": ["dd"]}
    assert "dd is a field already" in told(small(source=source, derive={"dd": "city"}))[0]


def test_too_many_derived_columns_are_refused() -> None:
    derive = {f"d{i}": "pm25" for i in range(MOST_DERIVED + 1)}
    assert "expects at most 200 derived columns" in told(small_deriving(derive))[0]


def test_the_error_points_into_the_text_of_the_toml() -> None:
    lines = toml_lines(QUOTES.replace("bid + ask", "bid + aks"))
    assert lines[1:] == [
        "  - air.toml:12:15: derive.mid: column 8: no field or derived column aks (did you mean ask?)",
        "      (bid + aks) / 2",
        "             ^^^",
    ]


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        ("'ask - bdi'", 13, 17),
        ('"ask - bdi"', 13, 17),
        (r'"ask\u0020-\tbdi"', 13, 23),
        (r'"ask \U0000002D bdi"', 13, 26),
        ('"""ask -\nbdi"""', 14, 1),
        ('"""\nask - bdi"""', 14, 7),
        ('"""ask - \\\n\n   bdi"""', 15, 4),
        ("'''\nask -\n bdi'''", 15, 2),
    ],
)
def test_the_place_is_found_in_every_kind_of_toml_text(written: str, line: int, column: int) -> None:
    lines = toml_lines(QUOTES.replace('"ask - bid"', written))
    assert lines[1].startswith(f"  - air.toml:{line}:{column}: derive.spread: ")
    assert lines[1].endswith("no field or derived column bdi (did you mean bid?)")


def test_a_long_expression_is_shown_around_the_fault() -> None:
    (line,) = told(small_deriving({"x": "pm25 + " * 20 + "pm52 + " * 3 + "1"}))
    _, shown, carets = line.split("\n")
    assert shown[carets.index("^") :].startswith("pm52")
    assert len(shown) <= 106


def test_python_points_with_the_names_of_the_methods() -> None:
    pipeline = Pipeline("p").source("t", time="ts").field("bid", float).derive("mid", "bid / tow").where("bid")
    with pytest.raises(PlanError) as caught:
        _ = pipeline.window("w", size="1m", group_by=[], where="ts >", n="count()").plan
    told_of = str(caught.value)
    assert 'derive("mid"): column 7: no field or derived column tow\n      bid / tow\n            ^^^' in told_of
    assert 'window("w").where: column 5: expects a value' in told_of
    assert "  - where: column 1: expects a condition" in told_of


def test_saying_it_twice_is_told() -> None:
    twice = Pipeline("p").source("t", time="ts").where("ts > 1").where("ts > 2").derive("a", "ts").derive("a", "ts")
    with pytest.raises(PlanError) as caught:
        _ = twice.window("w", size="1m", group_by=[], n="count()").plan
    assert "where is " in str(caught.value)
    assert 'derive("a") is "a": is said twice' in str(caught.value)
