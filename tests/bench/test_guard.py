"""The guard of the hot kernels: it passes today's code, and objects to a kernel that got a quarter dearer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lepton_stream.compiled import loader, switch
from tests.bench.guard import CALLS, LOSS, SAMPLES, TENTH, allowed_by, losses, once, recorded
from tests.bench.hot_kernels import Call, hot_kernels

pytest.importorskip("numba")
ROOT = Path(__file__).resolve().parents[2]
alone = pytest.mark.skipif("PYTEST_XDIST_WORKER" in os.environ, reason="others run beside it; `make guard` runs it")


@pytest.fixture(scope="module")
def kernels() -> Iterator[dict[str, Call]]:
    before, functions = switch.current(), loader.functions_now()
    switch.use(functions)
    yield hot_kernels(functions)
    switch.use(before)


def slowed(call: Call) -> Call:
    """A quarter dearer: every fourth call does its work twice."""
    calls = 0

    def twice_in_four() -> None:
        nonlocal calls
        calls += 1
        call()
        if calls % 4 == 0:
            call()

    return twice_in_four


@alone
def test_no_hot_kernel_costs_more_than_recorded() -> None:
    command = [sys.executable, "-m", "tests.bench.guard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@alone
@pytest.mark.parametrize("name", ["scan_json", "cells"])
def test_a_kernel_that_got_a_quarter_dearer_is_objected_to(kernels: dict[str, Call], name: str) -> None:
    """Both are measured in turns and the dear one is held against the other: the machine's mood has no say."""
    fair, dear = kernels[name], slowed(kernels[name])
    samples = [(once(fair, CALLS[name]), once(dear, CALLS[name])) for _ in range(5 * SAMPLES)]
    allowed, costs = np.quantile(np.array(samples), TENTH, axis=0)
    assert losses({name: costs}, {name: allowed * (1 + LOSS)})
    assert 1.15 < costs / allowed < 1.35


def test_every_kernel_is_recorded_for_every_processor() -> None:
    assert all(costs.keys() == CALLS.keys() for costs in recorded().values())


def test_samples_hold_whole_turns_of_the_slowed_kernel() -> None:
    assert all(calls % 4 == 0 for calls in CALLS.values())


def test_an_unknown_processor_gets_more_room_over_the_dearest_record() -> None:
    records = {"a": {"x": 1.0}, "b": {"x": 2.0}}
    assert allowed_by(records, "a") == {"x": pytest.approx(1.15)}
    assert allowed_by(records, "c") == {"x": pytest.approx(3.0)}


def test_a_loss_is_told_with_its_remedy() -> None:
    (line,) = losses({"x": 1.2, "y": 1.0}, {"x": 1.15, "y": 1.15})
    assert line.startswith("x costs 1.200")
    assert "guard-record" in line
