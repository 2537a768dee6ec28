"""Results are held against the truth: complete, right, exact, in the shapes of all programs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.bench.peers.outcome import Outcome, Row, row_of

TRUTH = {("a", 60_000): (2, 1.5, 1.0, 2.0), ("b", 120_000): (1, 3.0, 3.0, 3.0)}


def theirs(device: str, window: float, figures: tuple[int, float, float, float], **more: Any) -> Row:
    names = dict(zip(("count", "mean", "min", "max"), figures, strict=True))
    row = row_of(json.dumps({"device": device, "window": window, **names, **more}).encode())
    assert row is not None
    return row


def taken(*rows: Row) -> Outcome:
    outcome = Outcome(TRUTH)
    for row in rows:
        outcome.take(row)
    return outcome


def test_all_windows_right_is_complete_and_exact() -> None:
    outcome = taken(theirs("a", 60, (2, 1.5, 1.0, 2.0)), theirs("b", 120.0, (1, 3.0, 3.0, 3.0)))
    assert outcome.complete
    assert outcome.exact


@pytest.mark.parametrize("wrong", [(3, 1.5, 1.0, 2.0), (2, 1.500001, 1.0, 2.0), (2, 1.5, 0.9, 2.0), (2, 1.5, 1.0, 2.1)])
def test_one_wrong_figure_is_not_exact(wrong: tuple[int, float, float, float]) -> None:
    outcome = taken(theirs("a", 60, wrong), theirs("b", 120, (1, 3.0, 3.0, 3.0)))
    assert outcome.right == 1
    assert not outcome.exact


def test_a_window_too_many_is_not_exact_and_one_too_few_not_complete() -> None:
    right = theirs("a", 60, (2, 1.5, 1.0, 2.0)), theirs("b", 120, (1, 3.0, 3.0, 3.0))
    assert not taken(*right, theirs("c", 60, (1, 1.0, 1.0, 1.0))).exact
    assert not taken(right[0]).complete


def test_windows_behind_the_last_of_the_truth_are_of_no_interest() -> None:
    outcome = taken(theirs("a", 60, (2, 1.5, 1.0, 2.0)), theirs("b", 120, (1, 3.0, 3.0, 3.0)))
    assert not outcome.take(theirs("a", 3600, (1, 20.0, 20.0, 20.0)))
    assert outcome.exact


def test_our_rows_count_by_their_highest_version() -> None:
    def ours(version: int, n: int) -> Row:
        told = {"device": "b", "window_start": 120_000, "n": n, "mean": 3.0, "min": 3.0, "max": 3.0, "version": version}
        row = row_of(json.dumps(told).encode())
        assert row is not None
        return row

    outcome = taken(ours(2, 1), ours(1, 5))
    assert outcome.right == 1
    assert outcome.counted == 1


@pytest.mark.parametrize("first", [0, 1])
def test_updates_that_are_taken_back_leave_the_last_one_in_whatever_order_they_come(first: int) -> None:
    back = theirs("b", 120, (7, 9.0, 9.0, 9.0), diff=-1)
    new = theirs("b", 120, (1, 3.0, 3.0, 3.0), diff=1)
    order = (back, new) if first else (new, back)
    outcome = taken(theirs("b", 120, (7, 9.0, 9.0, 9.0), diff=1), *order)
    assert outcome.rows["b", 120_000].figures == (1, 3.0, 3.0, 3.0)
    assert outcome.counted == 1


def test_a_record_without_figures_is_no_result() -> None:
    assert row_of(b'{"device": "a", "window": null, "count": null}') is None
