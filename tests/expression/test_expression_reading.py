"""Reading expressions: any text gives a tree or an error that points into it, and a tree's text gives the tree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.expression.check import check, check_condition
from lepton_stream.expression.parse import parse
from lepton_stream.expression.text import text_of
from lepton_stream.expression.tree import DEEPEST, LONGEST, ExpressionError, Name, Node
from lepton_stream.expression.typed import Known
from lepton_stream.expression.walk import names_in
from tests.expression.trees import KNOWN, trees

ANY_TREE = st.sampled_from(("float", "int", "str", "bool")).flatmap(trees)
PIECES = st.sampled_from(
    [*"()[],+-*/%<>=!&|^'\"`.#$\\\n\x00é", "**", "//", "==", "!=", "<=", "<>", "&&", " and ", " or ", "not ", " in ",
     " is ", " null", "true", "x", "i", "s", "b", "`t u`", "1", "9" * 40, "1e999", "0.5", "1.", ".5", "0x1", "_",
     "when(", "bucket(", "coalesce(", "hour(", "contains(", "[1, 2]", "'a'", '""', "é", "\ud800", "٣", "(" * 200,
     "-" * 300, "not " * 200, "x+" * 300, "[" * 200]
)  # fmt: skip


def outcome(text: str) -> str:
    """What became of a text: the canonical text of what it means, or the error. Anything else goes through."""
    try:
        return check(parse(text), KNOWN).text
    except ExpressionError as e:
        error = e
    assert 0 <= error.at < error.end
    assert error.at <= len(text)
    assert error.wish
    return f"{error.at + 1}-{error.end}: {error.wish}" + (f" [{error.hint}]" if error.hint else "")


@settings(max_examples=300)
@given(ANY_TREE)
def test_the_text_of_a_tree_is_read_as_that_tree(tree: Node) -> None:
    text = text_of(tree)
    again = parse(text)
    assert repr(again) == repr(tree)  # 1 and 1.0 and true are equal, their texts are not
    assert text_of(again) == text


@settings(max_examples=300)
@given(ANY_TREE)
def test_every_tree_of_a_kind_is_found_to_be_of_that_kind_and_reads_the_same_once_checked(tree: Node) -> None:
    assert check(parse(text_of(tree)), KNOWN) == check(tree, KNOWN)


@settings(max_examples=500)
@given(st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join))
def test_any_text_gives_an_expression_or_an_error_that_points_into_it(text: str) -> None:
    outcome(text)


@settings(max_examples=300)
@given(ANY_TREE.map(text_of), st.integers(0, 200), st.integers(0, 9), PIECES)
def test_a_spoiled_expression_is_still_one_or_the_error_points_into_it(
    text: str, at: int, gone: int, piece: str
) -> None:
    at %= len(text) + 1
    outcome(text[:at] + piece + text[at + gone :])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1-1: expects an expression such as (bid + ask) / 2"),
        ("x +", "4-4: expects a value: a field, a number, a text or a call"),
        ("x y", "3-3: expects an operator or the end"),
        ("(x", '3-3: expects ")" or an operator'),
        ("1 < x < 2", "7-7: comparisons are not chained: write a < b and b < c"),
        ("x = 1", "3-3: expects =="),
        ("x <> 1", "3-4: expects !="),
        ("x ** 2", "3-4: expects pow(a, b)"),
        ("b && c", "3-4: expects and"),
        ("s == 'a", "6-6: this quote is never closed"),
        ("x == null", "6-9: null stands behind is or is not only"),
        ("x is 1", "6-6: expects null or not null behind is"),
        ("s in 'a'", '6-8: expects a list such as ["a", "b"]'),
        ("s in [s]", "7-7: expects a number, a quoted text, true or false: lists hold literals only"),
        ("s in []", "6-7: expects at least one value"),
        ("i in [1, 'a']", "10-12: in compares values of one type; this is text (str), before it is an int"),
        ("[1]", "1-3: a list stands behind in, and in bucket, only"),
        ("z + 1", "1-1: no field or derived column z"),
        ("t_u", "1-3: no field or derived column t_u [`t u`]"),
        ("s + 'a'", "1-1: + takes numbers; this is text (str); concat(a, b) joins texts"),
        ("b + 1", "1-1: + takes numbers; this is true or false (bool)"),
        ("s < 'a'", "1-1: < takes numbers; this is text (str); texts and conditions are compared by == and !="),
        ("s == 1", "6-6: == compares values of one type; this is an int, before it is text (str)"),
        ("x and b", "1-1: and takes conditions; this is a float"),
        ("not x", "5-5: not takes conditions; this is a float"),
        ("sqroot(x)", None),
        ("sqrt(x, y)", "9-9: sqrt(x) takes 1 argument, not 2"),
        ("pow(x)", "6-6: pow(x, y) takes 2 arguments, not 1"),
        ("min(x)", "6-6: min(x, y, ...) takes at least 2 arguments, not 1"),
        ("sqrt(s)", "6-6: sqrt takes numbers; this is text (str)"),
        ("lower(x)", "7-7: lower(s) takes text; this is a float"),
        ("contains(s, s)", '13-13: contains(s, "err") expects a quoted text here'),
        ("when(x, 1, 2)", "6-6: when expects a condition (bool) here; this is a float"),
        ("when(b, 1, 's')", "12-14: when gives values of one type; this is text (str), before it is an int"),
        ("coalesce(x, s)", "13-13: coalesce takes values of one type; this is text (str), before it is a float"),
        ("bucket(x, 1, 2)", "11-11: expects a list such as [10, 20]"),
        ("bucket(x, [1], [1])", "16-18: expects one label more than there are edges, 2, not 1"),
        ("bucket(x, [2, 1], [1, 2, 3])", "15-15: expects more than the edge before it, 2"),
        ("hour(x)", '6-6: hour reads the event time by itself: write hour() or hour("ZONE")'),
        (
            "hour('Asia/Shanhai')",
            '6-19: expects the IANA name of a time zone, such as "Asia/Shanghai" [Asia/Shanghai]',
        ),
        ("9223372036854775808", "1-19: expects an integer of 64 bits, or a float such as 1e30"),
        ("1e999", "1-5: expects a finite number"),
        ("12abc", "1-5: expects a number such as 12, 0.5 or 1e-3"),
        ("x ? 1", "3-3: did not expect '?'"),
    ],
)
def test_errors_point_at_the_fault_and_say_what_was_expected(text: str, told: str | None) -> None:
    if told is None:
        assert outcome(text).startswith("1-6: unknown function; there are abs, ")
        assert outcome(text).endswith(" [sqrt]")
    else:
        assert outcome(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "(" * (DEEPEST + 1) + "x" + ")" * (DEEPEST + 1),
        "-" * 2 * DEEPEST + "x",
        "not " * 2 * DEEPEST + "b",
        "x" + " + x" * DEEPEST * 2,
        "abs(" * 2 * DEEPEST + "x" + ")" * 2 * DEEPEST,
    ],
)
def test_too_many_levels_are_refused(text: str) -> None:
    assert f"{DEEPEST} levels" in outcome(text)


def test_too_long_a_text_too_long_a_word_and_too_long_a_list_are_refused() -> None:
    assert "at most 4,000 characters" in outcome("x" + " " * LONGEST)
    assert "at most 200 characters" in outcome(f"s == '{'a' * 201}'")
    assert "at most 1,000 values" in outcome(f"i in [{'1,' * 1000}1]")


def test_texts_cannot_be_put_together_from_ever_more_of_them() -> None:
    known = dict(KNOWN)
    for i in range(6):
        known[f"d{i}"] = _known(f"concat({f'd{i - 1}' if i else 's'}, {f'd{i - 1}' if i else 's'})", known)
    with pytest.raises(ExpressionError, match="puts 128 texts together"):
        check(parse("concat(d5, d5)"), known)
    assert check(parse("lower(d5)"), known).root.pieces == 64


def _known(text: str, known: dict[str, Known]) -> Known:
    root = check(parse(text), known).root
    return Known(root.kind, root.nullable, root.pieces)


def test_a_filter_must_be_a_condition() -> None:
    with pytest.raises(ExpressionError, match="expects a condition such as price > 0; this is a float"):
        check_condition(parse("x + 1"), KNOWN)


def test_a_name_that_is_derived_further_down_is_told_as_such() -> None:
    with pytest.raises(ExpressionError, match="mid is derived further down"):
        check(parse("mid + 1"), KNOWN, {"mid": 3})


def test_names_are_found_wherever_they_stand() -> None:
    assert list(names_in(parse("when(a in [1], -b, c is null, min(d, `e f`) + 1, not g)"))) == [*"abcd", "e f", "g"]


def test_quotes_are_doubled_within_quotes_and_names_with_dots_need_none() -> None:
    assert outcome("s == 'it''s'") == 's == "it\'s"'
    assert outcome('s == """"') == 's == """"'
    assert parse("PM2.5") == Name("PM2.5")
    assert parse("`a``b`") == Name("a`b")
    assert text_of(Name("in")) == "`in`"
