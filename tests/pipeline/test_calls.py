from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.kernels import calls as k
from lepton_stream.pipeline.calls import CallError, call_text, check_call, parse_call, parsed
from lepton_stream.pipeline.catalogue import NUMERIC, SIGNATURES, Parameter, Signature
from lepton_stream.pipeline.plan import Call

TYPES = {"pm25": "float", "city": "str", "PM 2.5": "float", "hits": "int"}


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("count()", Call("count")),
        ("mean(pm25)", Call("mean", ("pm25",))),
        (" mean ( pm25 ) ", Call("mean", ("pm25",))),
        ("quantile(x, 0.95)", Call("quantile", ("x", 0.95))),
        ('mean("PM 2.5")', Call("mean", ("PM 2.5",))),
        ("mean('PM 2.5')", Call("mean", ("PM 2.5",))),
        ("mean(PM2.5)", Call("mean", ("PM2.5",))),
        ("f(-3, 1e2, größe)", Call("f", (-3, 100.0, "größe"))),
    ],
)
def test_call_is_read(text: str, call: Call) -> None:
    assert parse_call(text).call == call


@pytest.mark.parametrize(
    ("text", "column", "wish"),
    [
        ("", 1, "expects a function name"),
        ("3(x)", 1, "expects a function name"),
        ("mean", 5, 'expects "(" after mean'),
        ("mean pm25", 6, 'expects "(" after mean'),
        ("mean(", 6, "expects a field or a number"),
        ("mean(pm25", 10, 'expects "," or ")"'),
        ("mean(pm25,)", 11, "expects a field or a number"),
        ("mean(pm25 x)", 11, 'expects "," or ")"'),
        ("mean(pm25) + 1", 12, "did not expect '+'"),
        ("mean(pm25) x", 12, 'expects nothing after ")"'),
        ("mean(max(x))", 9, 'expects "," or ")"'),
        ("__import__('os').system", 17, "did not expect '.'"),
        ('mean("pm25)', 6, "did not expect '\"'"),
        ("mean(1e999)", 6, "expects a finite number"),
        ("mean(2x)", 6, "did not expect '2'"),
    ],
)
def test_fault_is_told_with_its_column(text: str, column: int, wish: str) -> None:
    with pytest.raises(CallError) as caught:
        parse_call(text)
    assert caught.value.column == column
    assert caught.value.wish == f"column {column}: {caught.value.wish.partition(': ')[2]}"
    assert wish in caught.value.wish


@given(st.text(max_size=30) | st.text(alphabet="mean(),.\"' 0123e+-x", max_size=20))
def test_any_text_is_a_call_or_a_call_error(text: str) -> None:
    column, call = 1, None
    try:
        call = parse_call(text).call
    except CallError as e:
        column = e.column
    assert 1 <= column <= len(text) + 1
    assert call is None or parse_call(call_text(call)).call == call


def refusal(text: str) -> CallError:
    with pytest.raises(CallError) as caught:
        check_call(parse_call(text), TYPES)
    return caught.value


def test_unknown_function_is_told_with_the_nearest_and_all_there_are() -> None:
    e = refusal("maen(pm25)")
    assert (e.column, e.hint) == (1, "mean")
    assert "there are correlation, count, covariance" in e.wish


def test_unknown_field_is_told_with_the_nearest() -> None:
    assert (refusal("mean(pm52)").column, refusal("mean(pm52)").hint) == (6, "pm25")


@pytest.mark.parametrize(
    ("text", "column", "wish"),
    [
        ("mean()", 6, "mean(field) takes 1 argument, not 0"),
        ("mean(pm25, hits)", 12, "mean(field) takes 1 argument, not 2"),
        ("count(pm25, hits)", 13, "count([field]) takes 0 or 1 argument, not 2"),
        ("mean(3)", 6, "mean(field) expects the name of a field here"),
        ("mean(city)", 6, "mean(field) takes float or int; city is str"),
    ],
)
def test_wrong_arguments_are_told(text: str, column: int, wish: str) -> None:
    assert refusal(text).wish == f"column {column}: {wish}"


def test_parameters_are_numbers_and_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    signature = Signature("quantile", (NUMERIC,), "value of a rank", (Parameter("q", 0, 1),))
    monkeypatch.setitem(SIGNATURES, "quantile", signature)
    assert check_call(parse_call("quantile(pm25, 0.5)"), TYPES) == Call("quantile", ("pm25", 0.5))
    assert refusal("quantile(pm25, hits)").wish == "column 16: quantile(field, q) expects a number here"
    assert refusal("quantile(pm25)").wish == "column 14: quantile(field, q) takes 2 arguments, not 1"


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("quantile(pm25, 1.5)", "column 16: quantile(field, q) expects q from 0 to 1, not 1.5"),
        ("top(city, 0)", "column 11: top(field, k) expects a whole number k from 1 to 100, not 0"),
        ("top(city, 2.5)", "column 11: top(field, k) expects a whole number k from 1 to 100, not 2.5"),
        (
            "histogram(pm25, 9, 9, 4)",
            "column 20: histogram(field, low, high, bins) expects high to be more than low, 9",
        ),
    ],
)
def test_a_number_that_a_function_cannot_use_is_told(text: str, wish: str) -> None:
    assert refusal(text).wish == wish


def test_call_made_in_python_is_told_by_the_columns_of_its_text() -> None:
    with pytest.raises(CallError) as caught:
        check_call(parsed(Call("mean", ("PM 2.6",))), TYPES)
    assert (caught.value.column, caught.value.hint) == (6, "PM 2.5")
    assert parsed(Call("f", ("PM 10", 2))).columns == parse_call('f("PM 10", 2)').columns


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_every_function_of_the_catalogue_has_a_constructor(name: str) -> None:
    signature, make = SIGNATURES[name], getattr(k, name)
    args: list[str | float] = [*["pm25"] * len(signature.fields), *(p.example for p in signature.parameters)]
    call = make(*args)
    assert call == Call(name, tuple(args))
    assert check_call(parsed(call), TYPES) == call
    told = inspect.getdoc(make) or ""
    assert signature.help in told.replace("Rows", "rows")[:1].lower() + told[1:]
    assert name in k.__all__


def test_field_is_optional_in_python_where_the_catalogue_says_so() -> None:
    assert k.count() == Call("count")
