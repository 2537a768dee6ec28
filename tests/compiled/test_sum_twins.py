"""Exact sums on both paths: the same limbs, bit for bit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.columns import Numbers
from lepton_stream.kernels import exact
from lepton_stream.kernels.kernel import Rows, State
from lepton_stream.kernels.total import Squares, Total
from tests.compiled.twins import both

floats = st.floats(allow_nan=False, allow_infinity=False)
EDGES = (0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 2.0**32, -(2.0**-32))
edges = st.sampled_from(EDGES)
rows_drawn = st.lists(st.tuples(st.integers(0, 3), floats | edges), max_size=30)


def sums(drawn: list[tuple[int, float]]) -> State:
    into: State = {}
    exact.add_floats(into, np.array([g for g, _ in drawn], np.int64), np.array([x for _, x in drawn], np.float64), 4)
    return into


@settings(max_examples=300)
@given(rows_drawn)
def test_sums_have_the_same_limbs_on_both_paths(drawn: list[tuple[int, float]]) -> None:
    portable, compiled = both(lambda: sums(drawn))
    assert {k: v.tolist() for k, v in portable.items()} == {k: v.tolist() for k, v in compiled.items()}
    totals, power = exact.to_integers(compiled, 4)
    for group in range(4):
        wanted = sum((Fraction(x) for g, x in drawn if g == group), Fraction(0))
        assert totals[group] * Fraction(2) ** power == wanted


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-1e6, 1e6)), min_size=1, max_size=30))
def test_states_of_sums_and_squares_are_the_same_on_both_paths(drawn: list[tuple[int, float]]) -> None:
    groups = np.array([g for g, _ in drawn], np.int64)
    nothing = np.zeros(len(drawn), np.int64)
    rows = Rows({"x": Numbers(np.array([x for _, x in drawn]))}, nothing, nothing, nothing)
    for kernel in (Total("x"), Squares("x")):

        def updated(kernel: Total | Squares = kernel) -> dict[str, list[int]]:
            state = kernel.empty(4)
            kernel.update(state, groups, rows)
            return {name: array.tolist() for name, array in state.items()}

        portable, compiled = both(updated)
        assert portable == compiled
