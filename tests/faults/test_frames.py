"""Holes in a shuffle log are found, and repetitions are none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lepton_stream.shuffle.frame import Frame, encode
from tests.faults.frames import assert_unbroken


def log(*ranges: tuple[int, int], source: int = 1, first: int = 0) -> list[Any]:
    frames = [encode(Frame("plan", source, start, end, 0)) for start, end in ranges]
    return [SimpleNamespace(partition=3, offset=at, value=frame) for at, frame in enumerate(frames, first)]


def test_ranges_that_follow_or_repeat_are_whole() -> None:
    assert assert_unbroken(log((0, 5), (5, 9), (0, 5), (5, 9), (9, 9), (9, 12))) == 6
    assert assert_unbroken([*log((0, 5)), *log((0, 7), source=2), *log((5, 6)), *log((7, 8), source=2)]) == 4


@pytest.mark.parametrize("broken", [((0, 5), (6, 9)), ((1, 5),), ((0, 5), (0, 5), (8, 9))])
def test_a_hole_is_found(broken: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(AssertionError, match=r"begins at|nothing covers"):
        assert_unbroken(log(*broken))


def test_of_a_trimmed_log_the_first_frame_may_be_an_old_repetition_and_no_other() -> None:
    assert assert_unbroken(log((3, 5), (90, 95), (95, 99), first=7)) == 3
    with pytest.raises(AssertionError, match="nothing covers"):
        assert_unbroken(log((3, 5), (90, 95), (97, 99), first=7))
