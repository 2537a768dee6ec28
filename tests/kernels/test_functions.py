"""Every function against its slow oracle, for several groups at once."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings

from lepton_stream import kernels as public
from lepton_stream.kernels.functions import column, function
from lepton_stream.kernels.registry import calls, kernels
from lepton_stream.pipeline.catalogue import SIGNATURES
from lepton_stream.pipeline.plan import Call
from tests.kernels import slow
from tests.kernels.rows import GROUPS, LARGEST, TYPES, Row, row_lists, state_of

CALLS = calls(TYPES)


def results(rows: list[Row]) -> dict[Call, list[Any]]:
    states = {key: state_of(kernel, rows) for key, kernel in kernels(TYPES).items()}
    return {call: column(function(call, TYPES), states) for call in CALLS}


def values_of(rows: list[Row], group: int, field: object) -> list[Any]:
    """The group's values that are there, in the order that tells first from last; of all rows without a field."""
    own = sorted((r for r in rows if r.group == group), key=lambda r: (r.time, r.source, r.offset))
    return [True for _ in own] if field is None else [v for r in own if (v := getattr(r, str(field))) is not None]


def numbers(field: str, *values: Any) -> list[Row]:
    """Rows of group 0, one a value."""
    empty = Row(0, 0, 0, 0, None, None, None, None)
    return [empty._replace(offset=at, **{field: value}) for at, value in enumerate(values)]


def result(name: str, field: str, *values: float | None) -> Any:
    return results(numbers(field, *values))[Call(name, (field,))][0]


def test_every_function_has_an_oracle() -> None:
    oracles = [*slow.EXACT, *slow.NEAR, *slow.PAIRED, "rate"]
    assert sorted(oracles) == sorted(SIGNATURES)


@settings(max_examples=150)
@given(row_lists())
@example(numbers("i", 2**53 + 1, 2**53 + 1))
@example(numbers("i", -(2**63), -(2**63), 2**63 - 1))
@example(numbers("x", LARGEST, LARGEST, LARGEST))
@example(numbers("x", 1e308, -LARGEST))
@example(numbers("x", 1e-200, 3e-200, 1e200))
@example(numbers("x", 5e-324, 5e-324, 1e-323))
@example(numbers("x", 0.5, 0.5 + 2**-53, 5e-324, 0.1, -0.3))
def test_results_are_those_of_the_oracle(rows: list[Row]) -> None:
    for call, found in results(rows).items():
        if call.function in slow.PAIRED or call.function == "rate":
            continue
        for group in range(GROUPS):
            values = values_of(rows, group, call.args[0] if call.args else None)
            if call.function in slow.EXACT:
                wanted = slow.EXACT[call.function](values, len(values_of(rows, group, None)), *call.args[1:])
                assert (found[group], type(found[group])) == (wanted, type(wanted)), (call, values)
            elif len(values) < slow.AT_LEAST[call.function]:
                assert found[group] is None, (call, values)
            else:
                exact = slow.NEAR[call.function](values)
                near = found[group] is None if slow.double(exact) is None else slow.is_near(found[group], exact)
                assert near, (call, values, found[group])


@settings(max_examples=150)
@given(row_lists())
@example(numbers("x", 1e308, -LARGEST))
@example(numbers("x", 1e-200, 3e-200, 1e200))
@example(numbers("i", 2**53 + 1, 2**63 - 1, -(2**63)))
@example(numbers("x", 0.1, 0.1, 0.1))
def test_two_fields_together_are_those_of_the_oracle(rows: list[Row]) -> None:
    for call, found in results(rows).items():
        if call.function not in slow.PAIRED:
            continue
        for group in range(GROUPS):
            own = [[getattr(r, str(field)) for field in call.args] for r in rows if r.group == group]
            pairs = [(Fraction(a), Fraction(b)) for a, b in own if a is not None and b is not None]
            wanted = slow.PAIRED[call.function](pairs)
            if isinstance(wanted, Decimal):
                assert abs(Decimal(found[group]) - wanted) < Decimal("1e-15"), (call, pairs)
            else:
                assert found[group] == wanted, (call, pairs)


@settings(max_examples=150)
@given(row_lists())
def test_a_rate_is_the_rise_by_the_seconds_between(rows: list[Row]) -> None:
    for call, found in results(rows).items():
        if call.function != "rate":
            continue
        for group in range(GROUPS):
            own = sorted((r for r in rows if r.group == group), key=lambda r: (r.time, r.source, r.offset))
            timed = [(r.time, v) for r in own if (v := getattr(r, str(call.args[0]))) is not None]
            wanted = slow.rate_of([(t, Fraction(v)) for t, v in timed])
            if found[group] is None:  # nothing to tell, or the rise alone is beyond the range of doubles
                assert wanted is None or abs(Fraction(timed[-1][1]) - Fraction(timed[0][1])) * 10**6 > LARGEST / 2
            else:
                assert wanted is not None
                assert abs(Fraction(found[group]) - wanted) <= abs(wanted) * Fraction(1, 2**50) + Fraction(5e-324)


@settings(max_examples=100)
@given(row_lists())
def test_every_result_can_be_written_as_json(rows: list[Row]) -> None:
    for call, found in results(rows).items():
        assert orjson.loads(orjson.dumps(found)) == found, call


def test_a_sum_of_integers_is_exact_up_to_the_ends_of_int64() -> None:
    assert result("sum", "i", 2**63 - 2, 1) == 2**63 - 1
    assert result("sum", "i", -(2**63) + 1, -1) == -(2**63)


def test_a_sum_of_integers_beyond_int64_is_the_nearest_float() -> None:
    for total, values in ((2**63, (2**63 - 1, 1)), (-(2**63) - 2, (-(2**63), -2))):
        found = result("sum", "i", *values)
        assert isinstance(found, float)
        assert found == float(total)


def test_variance_of_equal_integers_beyond_the_precision_of_doubles_is_zero() -> None:
    assert result("variance", "i", *[2**53 + 1] * 3) == 0.0
    assert result("std", "i", *[-(2**63)] * 2) == 0.0


def test_a_mean_is_finite_where_the_sum_is_not() -> None:
    assert result("sum", "x", LARGEST, LARGEST) is None
    assert result("mean", "x", LARGEST, LARGEST) == LARGEST
    assert result("mean", "x", -LARGEST, -LARGEST, -LARGEST) == -LARGEST


def test_a_deviation_is_there_where_the_variance_is_no_double() -> None:
    assert result("variance", "x", 1e200, -1e200) is None
    assert result("std", "x", 1e200, -1e200) == pytest.approx(2**0.5 * 1e200, rel=1e-15, abs=0)
    assert result("std", "x", LARGEST, -LARGEST) is None
    assert result("variance", "x", 1e-200, -1e-200) == 0.0
    assert result("std", "x", 1e-200, -1e-200) == pytest.approx(2**0.5 * 1e-200, rel=1e-15, abs=0)


def test_the_first_value_keeps_the_sign_of_a_zero_and_an_extreme_does_not() -> None:
    assert repr(result("first", "x", -0.0, 1.0)) == "-0.0"
    assert repr(result("max", "x", -0.0, -1.0)) == "0.0"


def test_nulls_and_missing_values_give_none_and_are_counted() -> None:
    found = {call.function: values[0] for call, values in results(numbers("x", None, None)).items() if "x" in call.args}
    assert found.pop("count") == 0
    assert found.pop("null_count") == 2
    assert found.pop("distinct") == 0
    assert set(found.values()) == {None}


@pytest.mark.parametrize("name", public.__all__)
def test_no_module_of_kernels_hides_a_public_function(name: str) -> None:
    """A file `kernels/mean.py` would, once imported, stand where `k.mean` was."""
    assert callable(getattr(public, name))
