"""Exact sums on their own, against fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.kernels import exact
from lepton_stream.kernels.kernel import State
from tests.kernels.rows import floats, integers
from tests.kernels.slow import double, is_near

GROUPS = 3
Pairs = list[tuple[int, float]]

float_rows = st.lists(st.tuples(st.integers(0, GROUPS - 1), floats), max_size=30)
integer_rows = st.lists(st.tuples(st.integers(0, GROUPS - 1), integers), max_size=30)


def zero() -> State:
    return {exact.limb(0): np.zeros(GROUPS, np.int64)}


def added(pairs: Pairs) -> State:
    state = zero()
    exact.add_floats(state, np.array([g for g, _ in pairs], np.int64), np.array([x for _, x in pairs], float), GROUPS)
    return state


def sums(pairs: Pairs, power: int = 1) -> list[Fraction]:
    return [sum((Fraction(x) ** power for g, x in pairs if g == group), Fraction(0)) for group in range(GROUPS)]


def read(state: State) -> list[Fraction]:
    totals, exponent = exact.to_integers(state, GROUPS)
    return [total * Fraction(2) ** exponent for total in totals]


@settings(max_examples=100)
@given(float_rows)
def test_a_sum_of_floats_is_the_fraction_and_rounds_once(pairs: Pairs) -> None:
    state, wanted = added(pairs), sums(pairs)
    assert read(state) == wanted
    found = [x if np.isfinite(x) else None for x in exact.to_floats(state, GROUPS).tolist()]
    assert found == [double(total) for total in wanted]


@settings(max_examples=100)
@given(float_rows, st.lists(st.integers(1, 2**40), min_size=GROUPS, max_size=GROUPS))
def test_a_mean_is_within_one_unit_in_the_last_place_for_any_count(pairs: Pairs, counts: list[int]) -> None:
    for mean, total, n in zip(exact.to_means(added(pairs), np.array(counts)), sums(pairs), counts, strict=True):
        if double(total / n) is None:
            assert np.isinf(mean)
        else:
            assert is_near(float(mean), total / n)


@settings(max_examples=100)
@given(float_rows)
def test_a_sum_of_squares_is_the_fraction(pairs: Pairs) -> None:
    state = zero()
    x = np.array([x for _, x in pairs], float)
    exact.add_squares(state, np.array([g for g, _ in pairs], np.int64), x, GROUPS)
    assert read(state) == sums(pairs, 2)


@pytest.mark.parametrize("mantissa", [1.0, 1.1, 2 - 2**-52, 1 + 2**-52, 1 + 2**-26])
def test_sums_and_squares_are_exact_at_every_magnitude(mantissa: float) -> None:
    x = np.array([-mantissa * 2.0**exponent for exponent in range(-1074, 1024)])
    for at in range(0, len(x), 60):  # a few magnitudes at a time: a defect at one must not hide behind a larger one
        own = x[at : at + 60]
        plain, squares, group = zero(), zero(), np.zeros(len(own), np.int64)
        exact.add_floats(plain, group, own, GROUPS)
        exact.add_squares(squares, group, own, GROUPS)
        assert read(plain)[0] == sum(map(Fraction, own.tolist()))
        assert read(squares)[0] == sum(Fraction(v) ** 2 for v in own.tolist())


@settings(max_examples=100)
@given(integer_rows)
def test_sums_of_integers_and_of_their_squares_are_exact(pairs: list[tuple[int, int]]) -> None:
    groups, x = np.array([g for g, _ in pairs], np.int64), np.array([x for _, x in pairs], np.int64)
    plain, squares = zero(), zero()
    exact.add_integers(plain, groups, x, GROUPS)
    exact.add_integer_squares(squares, groups, x, GROUPS)
    assert read(plain) == sums(list(pairs))
    assert read(squares) == sums(list(pairs), 2)


@settings(max_examples=100)
@given(float_rows)
def test_normalising_keeps_the_sum_and_twice_is_once(pairs: Pairs) -> None:
    state = added(pairs)
    exact.normalise(state)
    once = {name: limbs.copy() for name, limbs in state.items()}
    assert read(once) == sums(pairs)
    *low, top = exact.limbs_of(once)
    for k in low:
        assert ((once[exact.limb(k)] >= 0) & (once[exact.limb(k)] < 1 << 32)).all()
    assert (np.abs(once[exact.limb(top)]) <= 1 << 33).all()
    exact.normalise(state)
    assert {n: limbs.tolist() for n, limbs in state.items()} == {n: limbs.tolist() for n, limbs in once.items()}


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-(2**62), 2**62)), max_size=8))
def test_unnormalised_limbs_are_read_as_what_they_mean(limbs: list[tuple[int, int]]) -> None:
    state = zero()
    wanted = Fraction(0)
    for k, value in dict(limbs).items():
        state[exact.limb(k)] = np.full(GROUPS, value)
        wanted += value * Fraction(2) ** (32 * k)
    assert exact.to_floats(state, GROUPS).tolist() == [double(wanted)] * GROUPS


@pytest.mark.parametrize("sign", [1, -1])
def test_as_many_merges_as_promised_fit_into_a_limb(sign: int) -> None:
    top = sign * ((1 << 33) - 1)  # the most that a normalised highest limb holds
    one: State = {exact.limb(0): np.array([(1 << 32) - 1]), exact.limb(1): np.array([top])}
    worth = read_one(one)
    total = one
    for _ in range(29):  # 29 doublings make 2**29 merges of the same state
        twice = {name: limbs.copy() for name, limbs in total.items()}
        exact.merge(twice, np.zeros(1, np.int64), total)
        total = twice
    assert read_one(total) == worth << 29
    assert exact.to_floats(total, 1).tolist() == [float(worth << 29)]


def read_one(state: State) -> int:
    (total,), exponent = exact.to_integers(state, 1)
    return total << exponent


def test_more_rows_than_are_added_at_once_are_all_added() -> None:
    n = (1 << 20) + 3
    x = np.full(n, 1e16 + 2)
    state = {exact.limb(0): np.zeros(1, np.int64)}
    exact.add_floats(state, np.zeros(n, np.int64), x, 1)
    assert read_one(state) == n * (10**16 + 2)
    squares = {exact.limb(0): np.zeros(1, np.int64)}
    exact.add_integer_squares(squares, np.zeros(n, np.int64), np.full(n, -(2**63)), 1)
    assert read_one(squares) == n * 2**126


def test_rows_with_all_bits_set_are_added_exactly_however_many() -> None:
    n = 1 << 22  # more than a sum of doubles would hold: the limbs of all rows together exceed 2**53
    state = {exact.limb(0): np.zeros(1, np.int64)}
    exact.add_integers(state, np.zeros(n, np.int64), np.full(n, -1), 1)
    assert read_one(state) == -n
    exact.add_floats(state, np.zeros(n, np.int64), np.full(n, 2.0**32 - 1), 1)
    assert read_one(state) == n * (2**32 - 2)


@pytest.mark.parametrize("tiny", [2.0**-62, 2.0**-70, 2.0**-100, 2.0**-1000, 5e-324])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_tie_is_broken_by_whatever_follows_however_small(tiny: float, sign: float) -> None:
    half = 2.0**-53  # half a unit in the last place of 1.0: a tie, which alone rounds to even
    state = added([(0, sign), (0, sign * half), (1, sign), (1, sign * half), (1, sign * tiny)])
    below = added([(0, sign), (0, sign * half), (0, -sign * tiny)])
    assert exact.to_floats(state, GROUPS)[:2].tolist() == [sign, sign * (1 + 2.0**-52)]
    assert exact.to_floats(below, GROUPS)[0] == sign
    assert exact.to_means(state, np.array([1, 1, 1]))[:2].tolist() == [sign, sign * (1 + 2.0**-52)]


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, GROUPS - 1), integers | st.integers(-(2**62), 2**62)), max_size=8))
def test_sums_within_64_bits_are_read_as_such(pairs: Pairs) -> None:
    state = zero()
    exact.add_integers(
        state, np.array([g for g, _ in pairs], np.int64), np.array([x for _, x in pairs], np.int64), GROUPS
    )
    wanted = [int(total) for total in sums(pairs)]
    carried: State = dict(state)
    exact.normalise(carried)
    for held in (state, carried):
        found = exact.to_int64(held, GROUPS)
        if found is None:
            assert max(map(abs, wanted)) >= 2**61
        else:
            assert found.tolist() == wanted


def test_sums_of_far_limbs_are_not_read_as_64_bits() -> None:
    state = {exact.limb(2): np.array([1 << 40]), exact.limb(3): np.array([-(1 << 8)])}
    assert exact.to_integers(state, 1)[0] == [0]
    assert exact.to_int64(state, 1) is None
    assert exact.to_int64({exact.limb(-1): np.array([1])}, 1) is None
