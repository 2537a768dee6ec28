"""The most frequent values: exact for few different ones, within the stated bound for many."""

from __future__ import annotations

from collections import Counter

import datasketches
import numpy as np
import pytest

from lepton_stream.kernels.frequent import Frequent, top
from lepton_stream.kernels.kernel import replace, take
from tests.kernels.rows import bits
from tests.kernels.samples import FIELD, fed, shuffled

MOST = Frequent.exact_up_to
N = 60_000


def words(seed: int) -> list[str]:
    """Heavy-tailed: thousands of different ones."""
    return [f"w{i}ß" for i in np.minimum(np.random.default_rng(seed).zipf(1.15, N), 10**6).tolist()]


@pytest.mark.parametrize("cut", [100, 4096, N])
@pytest.mark.parametrize("pieces", [1, 7])
def test_counts_are_within_the_stated_bound_for_any_cut(cut: int, pieces: int) -> None:
    kernel, values = Frequent(FIELD), words(3)
    state = kernel.empty(1)
    for piece in range(pieces):
        own = values[piece::pieces]
        kernel.merge(state, np.zeros(1, np.int64), fed(kernel, np.zeros(len(own), np.int64), own, 1, cut))
    (best,), truth = top(kernel, state, 100), Counter(values)
    error = best[0]["error"]
    assert 0 < error <= N / (MOST + 1)
    for told in best:
        assert told["count"] <= truth[told["value"]] <= told["count"] + error
    named = {told["value"] for told in best}
    assert {value for value, count in truth.items() if count > N / (MOST + 1)} <= named


def test_the_first_ones_are_those_of_datasketches() -> None:
    kernel, values = Frequent(FIELD), words(4)
    sketch = datasketches.frequent_strings_sketch(12)
    for value in values:
        sketch.update(value)
    theirs = sketch.get_frequent_items(datasketches.frequent_items_error_type.NO_FALSE_POSITIVES)
    (best,) = top(kernel, fed(kernel, np.zeros(N, np.int64), values, 1, 5000), 5)
    assert [told["value"] for told in best] == [item[0] for item in theirs[:5]]


def test_up_to_256_different_values_are_exact_in_any_order() -> None:
    kernel = Frequent(FIELD, "int")
    values = np.random.default_rng(5).integers(-128, 128, 20_000)
    whole, order = fed(kernel, np.zeros(20_000, np.int64), values, 1, 20_000), shuffled(20_000)
    state = fed(kernel, np.zeros(20_000, np.int64), values[order], 1, 123)
    assert bits(kernel, state) == bits(kernel, whole)
    best = sorted(Counter(values.tolist()).items(), key=lambda item: (-item[1], item[0]))[:7]
    assert top(kernel, state, 7) == [[{"value": v, "count": n, "error": 0} for v, n in best]]


def test_equal_counts_are_told_by_value_and_groups_without_values_are_none() -> None:
    kernel, values = Frequent(FIELD), ["b", "a", "ß", "a", "b", "c"]
    state = fed(kernel, np.array([0, 0, 0, 0, 0, 2]), values, 3, 2)
    found = top(kernel, state, 2)
    assert [None if of is None else [told["value"] for told in of] for of in found] == [["a", "b"], None, ["c"]]


def test_floats_and_truth_values_come_back_as_they_were() -> None:
    floats = fed(Frequent(FIELD, "float"), np.zeros(4, np.int64), np.array([-1.5, -0.0, 0.0, 1e300]), 1, 4)
    assert [t["value"] for t in top(Frequent(FIELD, "float"), floats, 3)[0]] == [0.0, -1.5, 1e300]
    truths = fed(Frequent(FIELD, "bool"), np.zeros(3, np.int64), np.array([True, False, True]), 1, 3)
    assert [t["value"] for t in top(Frequent(FIELD, "bool"), truths, 3)[0]] == [True, False]


def test_the_error_goes_with_the_group_when_its_state_is_replaced() -> None:
    kernel = Frequent(FIELD)
    state = fed(kernel, np.arange(N) % 2, words(6), 2, 5000)
    copy = kernel.empty(3)
    replace(kernel, copy, np.array([2, 0]), take(state, np.array([0, 1])))
    first, second = top(kernel, state, 9)
    assert top(kernel, copy, 9) == [second, None, first]
