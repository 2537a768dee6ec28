"""What expressions give, held against the slow oracle and against examples worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.columns import Column, Numbers, text_from_strings, to_list
from lepton_stream.expression.check import check, check_condition
from lepton_stream.expression.evaluate import evaluate, holds
from lepton_stream.expression.parse import parse
from lepton_stream.expression.tree import Kind, Node
from tests.expression.oracle import value_of
from tests.expression.trees import FIELDS, KINDS, KNOWN, rows, trees

TIMES = st.integers(-5_000_000_000_000_000, 5_000_000_000_000_000)
DTYPES = {"float": np.float64, "int": np.int64, "bool": np.bool_}


def column(kind: Kind, values: list[Any]) -> Column:
    if kind == "str":
        return text_from_strings(values)
    valid = np.array([v is not None for v in values], np.bool_)
    held: Any = np.array([0 if v is None else v for v in values], DTYPES[kind])
    return Numbers(held, None if valid.all() else valid)


def columns(records: list[dict[str, Any]]) -> dict[str, Column]:
    return {name: column(kind, [r[name] for r in records]) for name, (kind, _) in FIELDS.items()}


def values(text: str | Node, records: list[dict[str, Any]], times: list[int] | None = None) -> list[Any]:
    node = parse(text) if isinstance(text, str) else text
    time = np.array(times if times is not None else [0] * len(records), np.int64)
    return to_list(evaluate(check(node, KNOWN), columns(records), time))


ANY_TREE = st.sampled_from(("float", "int", "str", "bool")).flatmap(trees)


@settings(max_examples=400)
@given(ANY_TREE, st.lists(st.tuples(rows(), TIMES), max_size=6))
def test_every_value_is_that_of_the_slow_oracle(tree: Node, listed: list[tuple[dict[str, Any], int]]) -> None:
    records, times = [r for r, _ in listed], [t for _, t in listed]
    got = values(tree, records, times)
    wanted = [value_of(tree, r, t, KINDS) for r, t in listed]
    assert got == wanted
    assert [type(v) for v in got] == [type(v) for v in wanted]


@settings(max_examples=100)
@given(ANY_TREE, st.lists(rows(), max_size=5))
def test_what_is_said_to_be_never_null_never_is(tree: Node, records: list[dict[str, Any]]) -> None:
    root = check(tree, KNOWN).root
    assert root.nullable or None not in values(tree, records)


@settings(max_examples=100)
@given(ANY_TREE, st.lists(rows(), max_size=5))
def test_results_have_the_form_of_every_column(tree: Node, records: list[dict[str, Any]]) -> None:
    expression = check(tree, KNOWN)
    made = evaluate(expression, columns(records), np.zeros(len(records), np.int64))
    assert len(made) == len(records)
    assert made.valid is None or not made.valid.all()
    lacks = np.zeros(len(records), np.bool_) if made.valid is None else ~made.valid
    if isinstance(made, Numbers):
        assert made.values.dtype == DTYPES[expression.root.kind]
        assert made.values.flags.c_contiguous
        assert not made.values[lacks].any()
        assert np.isfinite(made.values.astype(float)).all()
    else:
        assert not made.length[lacks].any()
        assert (made.start + made.length + 8 <= len(made.data)).all()


@settings(max_examples=100)
@given(trees("bool"), st.lists(rows(), max_size=6))
def test_a_filter_keeps_what_is_true_and_nothing_else(tree: Node, records: list[dict[str, Any]]) -> None:
    kept = holds(check_condition(tree, KNOWN), columns(records), np.zeros(len(records), np.int64))
    assert kept.tolist() == [value_of(tree, r, 0, KINDS) is True for r in records]


ROW: dict[str, Any] = {"x": 2.5, "y": None, "i": 7, "j": None, "s": "C17", "t u": None, "b": True, "c": None}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(x + 3.5) / 2", 3.0),
        ("i / 2", 3.5),
        ("i // 2", 3),
        ("-i // 2", -4),
        ("-i % 3", 2),
        ("i / 0", None),
        ("i // 0", None),
        ("x % 0", None),
        ("9223372036854775807 + i", None),
        ("-9223372036854775808 // -1", None),
        ("-9223372036854775808 % -1", 0),
        ("abs(-9223372036854775808)", None),
        ("3037000500 * 3037000500", None),
        ("3037000499 * 3037000499", 9223372030926249001),
        ("-1 * -9223372036854775808", None),
        ("1e308 * 10", None),
        ("x * 2 == 5", True),
        ("y > 1", None),
        ("y > 1 and false", False),
        ("y > 1 or true", True),
        ("not c", None),
        ("y is null and j is null and not (x is null)", True),
        ('starts_with(s, "C") or i < 0', True),
        ("contains(s, '17')", True),
        ("s in ['C17', 'D']", True),
        ("i not in [1, 2.5, 7]", False),
        ("round(x)", 2),
        ("round(3.5)", 4),
        ("floor(-0.5)", -1),
        ("ceil(-0.5)", 0),
        ("floor(1e30)", None),
        ("sqrt(-1)", None),
        ("log(0)", None),
        ("exp(1000)", None),
        ("pow(2, 0.5)", math.sqrt(2)),
        ("pow(-8, 1 / 3)", None),
        ("log(exp(1))", 1.0),
        ("when(i > 5, 'many', i > 2, 'some', 'few')", "many"),
        ("when(c, 1)", None),
        ("coalesce(y, j, 3)", 3.0),
        ("concat(s, '-', lower(s), upper('ß'))", "C17-c17SS"),
        ("concat(s, `t u`)", None),
        ("length('日本')", 2),
        ("min(i, x, 3)", 2.5),
        ("max(i, j)", None),
        ("bucket(x, [2.5, 5], ['low', 'middle', 'high'])", "middle"),
        ("bucket(i, [7], [0, 1]) + 0", 1),
        ("bucket(y, [0], ['a', 'b'])", None),
        ("-x * -2", 5.0),
        ("2 - 3 - 4", -5),
        ("not b or b", True),
        ("1 + 2 * 3 == 7 and 8 / 2 / 2 == 2", True),
        ("true == (1 < 2)", True),
    ],
)
def test_examples(text: str, value: object) -> None:
    got = values(text, [ROW])[0]
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize("function", ["log", "exp", "sqrt", "pow"])
def test_functions_of_floats_are_within_two_units_in_the_last_place(function: str) -> None:
    draw = np.random.default_rng(5)
    numbers = [min(float(v), 700.0) for v in np.exp(draw.normal(0, 3, 300))]
    text = "pow(x, 1.7)" if function == "pow" else f"{function}(x)"
    for got, x in zip(values(text, [ROW | {"x": v} for v in numbers]), numbers, strict=True):
        wanted = math.pow(x, 1.7) if function == "pow" else getattr(math, function)(x)
        assert abs(got - wanted) <= 2 * math.ulp(wanted)


def test_parts_of_the_event_time_follow_the_clock_of_a_zone() -> None:
    changed = [
        1_711_843_199_999_999,
        1_711_843_200_000_000,
    ]  # the hour before, and after, clocks in Berlin went forward
    changed = [t + 3_600_000_000 for t in changed]
    assert values('hour("Europe/Berlin")', [ROW, ROW], changed) == [1, 3]
    assert values('minute("Europe/Berlin")', [ROW, ROW], changed) == [59, 0]
    assert values("hour()", [ROW, ROW], changed) == [0, 1]
    assert values("weekday()", [ROW, ROW, ROW], [0, 4 * 86_400_000_000, -1]) == [3, 0, 2]


def test_text_is_found_only_within_one_value() -> None:
    records = [ROW | {"s": s} for s in ("ab", "c", "", "xabc", "bca", "a")]
    assert values("contains(s, 'bc')", records) == [False, False, False, True, True, False]
    assert values("contains(s, '')", records) == [True] * 6
    assert values("starts_with(s, 'ab')", records) == [True, False, False, False, False, False]
    assert values("ends_with(s, 'a')", records) == [False, False, False, False, True, True]
