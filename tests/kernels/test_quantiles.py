"""Quantiles: exact for few values, within the stated share of the value for many, the same bytes in any order."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.kernels import buckets, quantiles
from lepton_stream.kernels.entries import BYTES
from lepton_stream.kernels.kernel import State, take
from lepton_stream.kernels.quantiles import Ranks
from tests.kernels.rows import bits, floats, integers
from tests.kernels.samples import FIELD, MANY, distributions, fed, shuffled

SHARES = (0, 0.001, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999, 1)
GROUPS = 3


def kernel_for(values: np.ndarray) -> Ranks:
    return Ranks(FIELD, whole=values.dtype == np.int64)


@pytest.mark.parametrize("name", distributions())
def test_many_values_give_the_value_of_the_rank_within_the_stated_share(name: str) -> None:
    values, groups = distributions()[name], np.arange(MANY) % GROUPS
    kernel = kernel_for(values)
    state = fed(kernel, groups, values, GROUPS, 1000)
    for q in SHARES:
        for group, found in enumerate(quantiles.quantiles(kernel, state, q)):
            own = np.sort(values[groups == group])
            wanted = own[max(1, ceil(Fraction(str(q)) * len(own))) - 1]
            assert abs(float(found) - float(wanted)) <= abs(float(wanted)) * buckets.ERROR * (1 + 1e-9)
            assert own[0] * (1 - np.sign(own[0]) * 0.01) <= found <= own[-1] * (1 + np.sign(own[-1]) * 0.01)


@pytest.mark.parametrize("name", distributions())
def test_numpy_finds_the_same_where_values_are_few(name: str) -> None:
    values = distributions()[name][:64]
    kernel = kernel_for(values)
    state = fed(kernel, np.zeros(64, np.int64), values, 1, 10)
    for q in SHARES:
        assert quantiles.quantiles(kernel, state, q) == [np.quantile(values, q, method="inverted_cdf").item()]


def test_any_number_of_equal_values_stays_exact() -> None:
    kernel = Ranks(FIELD)
    state = fed(kernel, np.zeros(MANY, np.int64), np.tile([0.1, -7.3], MANY // 2), 1, 999)
    assert quantiles.quantiles(kernel, state, 0.5) == [-7.3]
    assert quantiles.quantiles(kernel, state, 0.51) == [0.1]


@pytest.mark.parametrize("name", distributions())
def test_any_order_cut_and_tree_of_merges_gives_the_same_bytes(name: str) -> None:
    values = distributions()[name][:3000]
    kernel, groups = kernel_for(values), np.arange(3000) % GROUPS * (np.arange(3000) > 100)
    whole = fed(kernel, groups, values, GROUPS, 3000)
    order = shuffled(3000)
    pieces: list[State] = [
        fed(kernel, groups[rows], values[rows], GROUPS, 7) for rows in np.split(order, [5, 60, 110, 1500, 1501])
    ]
    while len(pieces) > 1:  # exact ones into coarse ones and the other way round
        left, right = pieces.pop(0), pieces.pop()
        kernel.merge(left, np.arange(GROUPS), right)
        pieces.append(left)
    assert bits(kernel, pieces[0]) == bits(kernel, whole)


def test_a_group_of_more_buckets_than_there_is_room_for_keeps_the_largest_in_any_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quantiles, "MOST_BUCKETS", 100)
    values = np.concatenate([np.logspace(-150, 150, 4000), -np.logspace(-100, 149, 4000)])
    kernel, groups = Ranks(FIELD), np.zeros(8000, np.int64)
    whole = fed(kernel, groups, values, 1, 8000)
    order = shuffled(8000)
    assert bits(kernel, fed(kernel, groups, values[order], 1, 333)) == bits(kernel, whole)
    assert len(kernel.settle(whole)) == 100
    assert sum(len(a) for name, a in whole.items() if name.endswith(":key")) * BYTES == 2000
    assert quantiles.quantiles(kernel, whole, 1)[0] == pytest.approx(1e150, rel=0.01)
    assert quantiles.quantiles(kernel, whole, 0.5) == [0.0]


def test_layers_take_at_most_twice_what_the_settled_state_takes() -> None:
    values, kernel = distributions()["lognormal"], Ranks(FIELD)
    state = fed(kernel, np.arange(MANY) % 10, values, 10, 50)
    loose = sum(a.nbytes for a in state.values())
    kernel.settle(state)
    assert loose <= 2 * sum(a.nbytes for a in state.values())


@settings(max_examples=300)
@given(st.lists(floats, min_size=1, max_size=20))
def test_a_float_is_near_the_middle_of_its_bucket_and_buckets_keep_the_order(values: list[float]) -> None:
    x = np.sort(np.array(values))
    keys = buckets.keys_of(x)
    assert (keys[1:] >= keys[:-1]).all()
    assert buckets.values_of(keys, whole=False).tolist() == x.tolist()
    low = buckets.coarse(keys, whole=False)
    assert (low[1:] >= low[:-1]).all()
    assert buckets.coarse(low, whole=False).tolist() == low.tolist()
    for value, middle in zip(x.tolist(), buckets.middle(low, whole=False).tolist(), strict=True):
        off = abs(Fraction(middle) - Fraction(value))
        assert off <= abs(Fraction(value)) * Fraction(1000001, 101000000) + Fraction(4.5e-310)


@settings(max_examples=300)
@given(st.lists(integers, min_size=1, max_size=20))
def test_an_integer_is_near_the_middle_of_its_bucket_and_alone_in_it_below_50(values: list[int]) -> None:
    keys = np.sort(np.array(values, np.int64))
    low = buckets.coarse(keys, whole=True)
    assert (low[1:] >= low[:-1]).all()
    assert buckets.coarse(low, whole=True).tolist() == low.tolist()
    for value, middle in zip(keys.tolist(), buckets.middle(low, whole=True).tolist(), strict=True):
        off = abs(Fraction(middle) - value)
        assert off <= abs(value) * Fraction(1000001, 101000000)
        assert off == 0 or abs(value) > 50


def test_groups_that_are_taken_keep_their_ranks() -> None:
    values, kernel = distributions()["normal"], Ranks(FIELD)
    state = fed(kernel, np.arange(MANY) % GROUPS, values, GROUPS, 500)
    wanted = quantiles.quantiles(kernel, take(state, np.arange(GROUPS)), 0.9)
    assert quantiles.quantiles(kernel, take(state, np.array([2, 0, 2])), 0.9) == [wanted[2], wanted[0], wanted[2]]
