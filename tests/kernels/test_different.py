"""Different values: exact for few, within the stated error for many, and as good as Apache DataSketches."""

from __future__ import annotations

import datasketches
import numpy as np
import pytest

from lepton_stream.kernels.different import Distinct, distinct
from lepton_stream.kernels.entries import BYTES
from lepton_stream.kernels.hyperloglog import CLASSES
from tests.kernels.rows import bits
from tests.kernels.samples import FIELD, fed, shuffled

ERROR = 1.04 / CLASSES**0.5
KERNEL = Distinct(FIELD)


@pytest.mark.parametrize("number", [1, 200, 256])
def test_few_different_values_are_counted_exactly(number: int) -> None:
    values = np.arange(5 * number)
    assert distinct(KERNEL, fed(KERNEL, values % 5, values / 7, 5, 100)).tolist() == [number] * 5


@pytest.mark.parametrize("number", [257, 400, 1000, 4096, 10_000, 30_000])
def test_many_different_values_are_told_within_the_stated_error(number: int) -> None:
    groups = 40
    values = np.arange(groups * number)
    off = distinct(KERNEL, fed(KERNEL, values % groups, values, groups, 100_000)) / number - 1
    assert np.sqrt((off**2).mean()) < 1.4 * ERROR
    assert np.abs(off).max() < 4 * ERROR
    assert abs(off.mean()) < ERROR


@pytest.mark.parametrize("number", [1_000, 20_000])
def test_the_estimate_is_as_near_as_that_of_datasketches(number: int) -> None:
    ours, theirs = [], []
    for seed in range(20):
        values = np.random.default_rng(seed).permutation(number * 20)[:number]
        ours.append(distinct(KERNEL, fed(KERNEL, np.zeros(number, np.int64), values, 1, 4096))[0] / number - 1)
        sketch = datasketches.hll_sketch(12, datasketches.tgt_hll_type.HLL_8)
        for value in values.tolist():
            sketch.update(value)
        theirs.append(sketch.get_estimate() / number - 1)
    assert np.sqrt(np.square(ours).mean()) < 1.5 * max(np.sqrt(np.square(theirs).mean()), ERROR / 1.5)


def test_a_value_that_comes_again_counts_once() -> None:
    values = [f"{i % 200}ß" for i in range(5000)]
    assert distinct(KERNEL, fed(KERNEL, np.zeros(5000, np.int64), values, 1, 700)).tolist() == [200]


def test_text_floats_and_truth_values_are_counted_and_both_zeros_are_one() -> None:
    zeros = np.array([0.0, -0.0, 1.5, 1.5])
    assert distinct(KERNEL, fed(KERNEL, np.array([0, 0, 0, 1]), zeros, 3, 4)).tolist() == [2, 1, 0]
    assert distinct(KERNEL, fed(KERNEL, np.zeros(3, np.int64), np.array([True, False, True]), 1, 4)).tolist() == [2]


def test_any_order_and_cut_gives_the_same_bytes_also_of_exact_with_coarse_groups() -> None:
    values, of = np.arange(6000) // 2, np.arange(6000) % 2 * (np.arange(6000) < 300)
    whole = fed(KERNEL, of, values, 2, 6000)
    order = shuffled(6000)
    state = fed(KERNEL, of[order[:200]], values[order[:200]], 2, 30)
    KERNEL.merge(state, np.arange(2), fed(KERNEL, of[order[200:]], values[order[200:]], 2, 250))
    assert bits(KERNEL, state) == bits(KERNEL, whole)


def test_a_group_never_takes_more_than_the_stated_bytes() -> None:
    state = fed(KERNEL, np.zeros(200_000, np.int64), np.arange(200_000), 1, 50_000)
    assert len(KERNEL.settle(state)) * BYTES <= 10 * 1024
