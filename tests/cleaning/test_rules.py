import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.cleaning.rules import clean
from lepton_stream.columns import Column, Numbers, text_from_strings, to_list
from lepton_stream.formats.decoder import Decoded, Reason, Reject
from lepton_stream.pipeline.plan import Default, Field, OnBad


def decoded(**columns: Column) -> Decoded:
    n = len(next(iter(columns.values())))
    return Decoded(np.arange(n) * 2, columns, [])  # every other row of the chunk: the rejects must name chunk rows


def floats(*values: float | None) -> Numbers:
    valid = np.array([v is not None for v in values])
    return Numbers(np.array([v or 0.0 for v in values]), None if valid.all() else valid)


V = Field("v", "float", min=0, max=10)


@pytest.mark.parametrize(
    ("on_bad", "values", "mended"),
    [
        ("null", [0.0, 10.0, None, None, None], {"v.min": 1, "v.max": 1}),
        ("clip", [0.0, 10.0, 0.0, 10.0, None], {"v.min": 1, "v.max": 1}),
        (Default(99), [0.0, 10.0, 99.0, 99.0, None], {"v.min": 1, "v.max": 1}),
    ],
)
def test_values_outside_the_limits_are_mended(
    on_bad: OnBad, values: list[float | None], mended: dict[str, int]
) -> None:
    field = Field("v", "float", min=0, max=10, on_bad=on_bad)
    before = decoded(v=floats(0, 10, -1e-9, 10.5, None))
    got = clean(before, [field])
    assert to_list(got.columns["v"]) == values
    assert got.mended == mended
    assert got.rejects == []
    assert to_list(before.columns["v"]) == [0, 10, -1e-9, 10.5, None]


def test_rejects_name_chunk_rows_in_order_and_join_those_of_the_decoder() -> None:
    before = decoded(v=floats(-1, 5, 11, None))
    before = Decoded(before.rows, before.columns, [Reject(3, Reason.DECODE_ERROR, "x")])
    got = clean(before, [V])
    assert [(r.row, r.reason, r.detail) for r in got.rejects] == [
        (0, Reason.BELOW_MIN, "v: expected at least 0"),
        (3, Reason.DECODE_ERROR, "x"),
        (4, Reason.ABOVE_MAX, "v: expected at most 10"),
    ]
    assert got.rows.tolist() == [2, 6]
    assert to_list(got.columns["v"]) == [5, None]


def test_the_first_broken_rule_in_field_order_gives_the_reason() -> None:
    fields = [Field("b", "float", max=0), Field("a", "float", min=0)]
    got = clean(decoded(a=floats(-1, -1, 1), b=floats(1, 0, 0)), fields)
    assert [(r.row, r.detail[0]) for r in got.rejects] == [(0, "b"), (2, "a")]


def test_values_mended_in_rejected_records_are_not_counted() -> None:
    fields = [Field("a", "float", max=0, on_bad="clip"), Field("b", "float", max=0)]
    got = clean(decoded(a=floats(1, 1), b=floats(1, 0)), fields)
    assert got.mended == {"a.max": 1}
    assert to_list(got.columns["a"]) == [0]


def test_integers_are_compared_exactly() -> None:
    big = 2**53
    column = Numbers(np.array([big, big + 1, big + 2], np.int64))
    got = clean(decoded(n=column), [Field("n", "int", min=big + 1, max=big + 1, on_bad="clip")])
    assert to_list(got.columns["n"]) == [big + 1] * 3
    assert got.mended == {"n.min": 1, "n.max": 1}
    halves = clean(decoded(n=Numbers(np.array([1, 2, 3]))), [Field("n", "int", min=1.5, max=2.5, on_bad="clip")])
    assert to_list(halves.columns["n"]) == [2, 2, 2]


@pytest.mark.parametrize(
    ("on_bad", "values"),
    [("null", ["on", None, None]), (Default("Ω?"), ["on", "Ω?", None]), (Default(""), ["on", "", None])],
)
def test_text_outside_one_of_is_mended(on_bad: OnBad, values: list[str | None]) -> None:
    field = Field("s", "str", one_of=("on", "off", "Ω?"), required=False, on_bad=on_bad)
    got = clean(decoded(s=text_from_strings(["on", "onn", None])), [field])
    assert to_list(got.columns["s"]) == values
    assert got.mended == {"s.one_of": 1}


@given(st.lists(st.text(max_size=3) | st.none(), min_size=1), st.lists(st.text(max_size=3), min_size=1, max_size=12))
def test_one_of_keeps_exactly_the_allowed_words(values: list[str | None], allowed: list[str]) -> None:
    got = clean(decoded(s=text_from_strings(values)), [Field("s", "str", one_of=tuple(allowed))])
    assert to_list(got.columns["s"]) == [v for v in values if v is None or v in allowed]
    assert all(r.reason is Reason.NOT_ONE_OF for r in got.rejects)


def test_one_of_tells_words_apart_that_differ_in_a_trailing_nul() -> None:
    got = clean(decoded(s=text_from_strings(["a\0", "ab", "a"])), [Field("s", "str", one_of=("a\0",))])
    assert to_list(got.columns["s"]) == ["a\0"]


def test_one_of_works_on_numbers_and_clip_rejects_what_is_not_in_it() -> None:
    field = Field("n", "int", one_of=(1, 2), on_bad="clip")
    got = clean(decoded(n=Numbers(np.array([1, 2, 3]))), [field])
    assert to_list(got.columns["n"]) == [1, 2]
    assert [r.detail for r in got.rejects] == ["n: expected one of 1, 2"]


def test_a_value_that_was_mended_is_not_judged_again() -> None:
    field = Field("v", "float", min=0, max=10, one_of=(5.0,), on_bad=Default(99))
    got = clean(decoded(v=floats(-1, 11, 4, 5)), [field])
    assert to_list(got.columns["v"]) == [99, 99, 99, 5]
    assert got.mended == {"v.min": 1, "v.max": 1, "v.one_of": 1}
