"""When a shuffle partition makes its next checkpoint: at once for who waits, out of the way of others' results."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.limits import Limits
from lepton_stream.runtime.kafka.owners import ShuffleOwner
from lepton_stream.runtime.kafka.steps import LoopCpu
from lepton_stream.telemetry.meter import Meter

LIMITS = Limits()


async def nothing() -> list[Any]:
    return []


class Scene:
    """An owner whose last two checkpoints took so long; whether a window closes, and for how long one is near."""

    def __init__(self, took_s: float, *, near_s: float = 0.0) -> None:
        merger: Any = SimpleNamespace(
            closing=False, updating=False, urgent=True, checkpoint=nothing, partition=SourcePartition("shuffle", 0),
            pointer=SimpleNamespace(number=1), state=SimpleNamespace(holders=[]),
        )  # fmt: skip
        outside: Any = SimpleNamespace(
            limits=LIMITS, meter=Meter(), closes=SimpleNamespace(near_s=lambda: near_s), loop_cpu=LoopCpu(),
            time=SimpleNamespace(now_us=lambda: 1), note_results=lambda *_: None,
        )  # fmt: skip
        keeper: Any = SimpleNamespace(note=lambda *_: None)
        unused: Any = None
        self.merger = merger
        self.owner = ShuffleOwner(merger, outside, unused, unused, keeper)
        self.owner._took = took_s, took_s

    def pause(self, since_s: float = 0.0, *, flush: bool = False) -> float:
        return self.owner._pause(since_s, flush=flush)


def test_first_results_that_are_waited_for_do_not_rest_from_a_checkpoint_that_nobody_waited_for() -> None:
    scene = Scene(0.1)
    assert scene.pause() == LIMITS.checkpoint_most_s
    scene.merger.closing = True
    assert scene.pause() == 0.0


@pytest.mark.parametrize(("took_s", "rest_s"), [(0.001, LIMITS.soon_s), (0.1, 0.4), (10.0, LIMITS.checkpoint_most_s)])
def test_results_one_after_the_other_take_a_fifth_of_the_time(took_s: float, rest_s: float) -> None:
    scene = Scene(took_s)
    scene.merger.updating = scene.owner._was_waited_for = True
    assert scene.pause() == pytest.approx(rest_s)


async def test_a_checkpoint_that_was_held_up_once_makes_none_rarer() -> None:
    scene = Scene(5.0)
    scene.merger.updating = True
    await scene.owner._checkpoint()
    assert scene.pause() == pytest.approx(LIMITS.soon_s, abs=0.02)
    scene.owner._took = scene.owner._took[1], 5.0
    assert scene.pause() == pytest.approx(LIMITS.soon_s, abs=0.02)


def test_what_nobody_waits_for_comes_seldom_and_not_where_a_window_closes() -> None:
    assert Scene(0.001).pause() == LIMITS.checkpoint_s
    assert Scene(0.001, near_s=0.15).pause(0.1) == LIMITS.checkpoint_s
    assert Scene(0.001, near_s=0.15).pause(0.3) == pytest.approx(0.45)
    assert Scene(0.001, near_s=0.15).pause(0.3, flush=True) == LIMITS.checkpoint_s
    assert Scene(0.001, near_s=0.0).pause(0.3) <= 0.3


def test_windows_that_close_without_end_put_it_off_for_two_seconds_at_most() -> None:
    assert Scene(0.001, near_s=5.0).pause(1.9) == 2 * LIMITS.checkpoint_most_s


async def test_what_was_waited_for_is_what_closed_when_it_began() -> None:
    scene = Scene(0.0)
    for closing, pause_s in ((False, 0.0), (True, LIMITS.soon_s)):
        scene.merger.closing = closing
        await scene.owner._checkpoint()
        scene.merger.closing = True
        assert scene.pause() == pytest.approx(pause_s, abs=0.02)


def test_progress_alone_can_wait() -> None:
    scene = Scene(0.001)
    scene.merger.urgent = False
    assert scene.pause() == LIMITS.checkpoint_most_s
