"""The batch face gives what NumPy gives, from any partition, with and without processes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lepton_stream import Lepton, UsageError
from lepton_stream import kernels as k
from lepton_stream.kernels.total import Total
from lepton_stream.lepton import PartError, Partial, gram

HERE = Lepton(workers=0)


@pytest.fixture(scope="module")
def big() -> NDArray[np.float64]:
    """Columns of several means and sizes, some of them correlated."""
    rng = np.random.default_rng(11)
    base = rng.normal(0, 1, (100_000, 100))
    base[:, 50:] += base[:, :50]
    return base * np.logspace(-3, 3, 100) + np.linspace(-50, 50, 100)


def test_partitions_are_views_in_order_of_even_sizes(big: NDArray[np.float64]) -> None:
    parts = HERE.data_partition(big, num_partitions=7)
    assert all(np.shares_memory(part, big) for part in parts)
    assert {len(part) for part in parts} == {100_000 // 7, 100_000 // 7 + 1}
    assert np.array_equal(np.concatenate(parts), big)


def test_one_row_a_partition_is_the_most() -> None:
    assert [p.tolist() for p in HERE.data_partition(np.arange(3), 3)] == [[0], [1], [2]]


def test_numpy_on_each_part_and_merge_is_numpy_on_the_whole(big: NDArray[np.float64]) -> None:
    parts = HERE.data_partition(big, num_partitions=10)
    merged = HERE.merge([subset.T.dot(subset) for subset in parts])
    np.testing.assert_allclose(merged, big.T @ big, rtol=1e-9, atol=1e-6)


def test_gram_is_the_product(big: NDArray[np.float64]) -> None:
    assert np.array_equal(HERE.gram(big), big.T @ big)
    whole = np.arange(12).reshape(4, 3)
    assert np.array_equal(HERE.gram(whole), whole.T @ whole)
    assert HERE.gram(whole).dtype == whole.dtype


def scaled(found: Any, wanted: Any) -> float:
    """The largest difference, in units of what the two columns' deviations allow."""
    deviations = np.sqrt(np.diag(wanted))
    return float(np.abs((found - wanted) / deviations[:, None] / deviations[None, :]).max())


def test_covariance_and_correlation_are_numpys_within_a_billionth(big: NDArray[np.float64]) -> None:
    assert scaled(HERE.covariance(big), np.cov(big, rowvar=False)) < 1e-9
    assert np.abs(HERE.correlation(big) - np.corrcoef(big, rowvar=False)).max() < 1e-9


@pytest.mark.parametrize("count", [1, 2, 10, 997])
def test_covariance_merges_from_any_partition(big: NDArray[np.float64], count: int) -> None:
    parts = HERE.data_partition(big, count)
    merged = HERE.merge(HERE.map(gram, parts))
    assert merged.rows == len(big)
    assert scaled(merged.covariance(), np.cov(big, rowvar=False)) < 1e-9


def test_columns_far_from_zero_lose_nothing() -> None:
    x = np.random.default_rng(5).normal(0, 1, (50_000, 3))
    far = x + 1e8
    exact = np.cov(far - 1e8, rowvar=False)
    assert scaled(HERE.covariance(far), exact) < 1e-9


@given(st.lists(st.integers(0, 30), max_size=6), st.integers(0, 1 << 32))
@settings(max_examples=50)
def test_gram_states_of_any_cut_with_empty_pieces_are_that_of_the_whole(cuts: list[int], seed: int) -> None:
    x = np.random.default_rng(seed).normal(3, 2, (30, 2))
    merged = HERE.merge([gram(piece) for piece in np.split(x, sorted(cuts))])
    assert merged.rows == 30
    np.testing.assert_allclose(merged.covariance(), np.cov(x, rowvar=False), rtol=1e-9)


def test_one_column_has_a_covariance_too() -> None:
    x = np.array([[1.0], [2.0], [4.0]])
    assert HERE.covariance(x) == pytest.approx(np.var(x, ddof=1))
    assert HERE.correlation(x) == 1.0


def test_a_column_that_does_not_vary_has_no_correlation() -> None:
    found = HERE.correlation(np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]]))
    assert np.isnan(found[0]).all()
    assert found[1, 1] == 1.0


def test_nan_is_refused_left_out_or_passed_on() -> None:
    x = np.array([[1.0, 2.0], [np.nan, 3.0], [4.0, np.inf], [5.0, 7.0], [6.0, 1.0]])
    with pytest.raises(UsageError, match=r'x\[1, 0\] is nan, one of 2 rows .* nan="omit"'):
        HERE.gram(x)
    sound = x[[0, 3, 4]]
    assert np.array_equal(HERE.gram(x, nan="omit"), sound.T @ sound)
    np.testing.assert_allclose(HERE.covariance(x, nan="omit"), np.cov(sound, rowvar=False), rtol=1e-12)
    with np.errstate(invalid="ignore"):
        assert np.isnan(HERE.gram(x, nan="propagate")).any()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: HERE.data_partition([[1, 2]], 1), "x is a list: expects a NumPy array"),  # type: ignore[arg-type]
        (lambda: HERE.data_partition(np.array(3)), "x has the shape ()"),
        (lambda: HERE.data_partition(np.zeros((0, 3))), "x has the shape (0, 3): expects an array with rows"),
        (lambda: HERE.data_partition(np.zeros(5), 0), "num_partitions is 0: expects 1 to 5"),
        (lambda: HERE.data_partition(np.zeros(5), 6), "num_partitions is 6: expects 1 to 5, as the array has 5 rows"),
        (lambda: HERE.data_partition(np.zeros(5), 2.5), "num_partitions is 2.5"),  # type: ignore[arg-type]
        (lambda: HERE.gram(np.zeros(5)), "x has the shape (5,): expects (rows, columns)"),
        (lambda: HERE.gram(np.array([["a"]])), "x holds <U1: expects real numbers"),
        (lambda: HERE.gram(np.zeros((2, 2)), nan="drop"), "nan is 'drop'"),  # type: ignore[arg-type]
        (lambda: HERE.covariance(np.zeros((1, 2))), "covariance of 1 rows: expects two"),
        (lambda: HERE.map(3, [1]), "int is not callable"),  # type: ignore[call-overload]
        (lambda: HERE.merge([]), "nothing to merge"),
        (lambda: HERE.merge([np.zeros(2), np.zeros(3)]), "shapes (2,) and (3,)"),
        (lambda: HERE.merge(["a", "b"]), "cannot merge str"),
        (lambda: Lepton(workers=-1), "workers is -1"),
        (lambda: Lepton(start="thread"), "start is 'thread'"),  # type: ignore[arg-type]
    ],
)
def test_what_is_wrong_is_told(wrong: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        wrong()
    assert message in str(caught.value)


def test_merge_goes_into_mappings_and_tuples() -> None:
    left, right = ({"a": (1, np.ones(2))}, {"a": (2, np.ones(2)), "b": 5})
    merged = HERE.merge([left, right])
    assert merged["a"][0] == 3
    assert merged["a"][1].tolist() == [2, 2]
    assert merged["b"] == 5
    assert left["a"][1].tolist() == [1, 1]


@pytest.mark.parametrize("count", [1, 3, 10])
def test_a_pipelines_functions_work_on_structured_arrays(count: int) -> None:
    table = np.zeros(1000, [("pm25", "f8"), ("n", "i8")])
    table["pm25"], table["n"] = np.random.default_rng(3).normal(9, 4, 1000), np.arange(1000)
    parts = HERE.data_partition(table, count)

    def value(call: Any) -> Any:
        merged = HERE.merge(HERE.map(call, parts))
        assert isinstance(merged, Partial)
        return merged.result()

    assert value(k.count()) == 1000
    assert value(k.mean("pm25")) == pytest.approx(table["pm25"].mean(), rel=1e-12)
    assert value(k.std("pm25")) == pytest.approx(table["pm25"].std(ddof=1), rel=1e-12)
    assert value(k.sum("n")) == 499_500
    assert (value(k.first("n")), value(k.last("n"))) == (0, 999)


def test_kernel_states_are_merged_by_their_kernel() -> None:
    kernel, x = Total("0"), np.arange(20.0).reshape(10, 2)
    states = HERE.map(kernel, HERE.data_partition(x, 3))
    (whole,) = HERE.map(kernel, [x])
    merged = HERE.merge(states, kernel)
    assert {name: a.tolist() for name, a in merged.items()} == {name: a.tolist() for name, a in whole.items()}


def test_a_call_that_does_not_fit_the_columns_is_told() -> None:
    with pytest.raises(Exception, match=r"part 0 of 1: UsageError: mean\(pm10\).*columns pm25"):
        HERE.map(k.mean("pm10"), [{"pm25": np.ones(3)}])
    with pytest.raises(Exception, match="column pm25 holds NaN"):
        HERE.map(k.mean("pm25"), [{"pm25": np.array([np.nan])}])


@pytest.mark.parametrize("start", [2**63, 2**64 - 1])
def test_an_integer_beyond_int64_is_refused_and_never_wrapped_around(start: int) -> None:
    with pytest.raises(PartError, match=f"column pm25 holds {start}: expects integers up to {2**63 - 1}"):
        HERE.map(k.sum("pm25"), [{"pm25": np.array([1, start], np.uint64)}])
    (fits,) = HERE.map(k.max("pm25"), [{"pm25": np.array([1, 2**63 - 1], np.uint64)}])
    assert fits.result() == 2**63 - 1


def test_a_long_double_beyond_doubles_is_refused() -> None:
    beyond = np.array([np.longdouble(np.finfo(np.float64).max) * 4, 1], np.longdouble)
    if not np.isfinite(beyond).all():
        pytest.skip("long doubles are doubles here")
    with pytest.raises(PartError, match="what no double holds"):
        HERE.map(k.sum("pm25"), [{"pm25": beyond}])
