"""How far event time has come, and which records are late."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.windows.watermark import FOREVER, NEVER, Progress, high_before, late, watermark


def test_the_slowest_source_decides() -> None:
    assert watermark([Progress(high=50), Progress(high=20), Progress(high=90)]) == 20


def test_a_source_without_records_holds_everybody_back() -> None:
    assert watermark([Progress(high=50), Progress()]) == NEVER
    assert watermark([]) == NEVER


def test_an_ended_source_holds_nobody_back() -> None:
    assert watermark([Progress(high=50), Progress(high=20, ended=True), Progress(ended=True)]) == 50


def test_when_all_have_ended_the_watermark_is_the_furthest_time_that_was_seen() -> None:
    assert watermark([Progress(high=50, ended=True), Progress(high=90, ended=True)]) == 90


def test_a_source_that_ends_after_it_was_idle_does_not_take_the_watermark_back() -> None:
    assert watermark([Progress(high=50, idle=70)]) == 70
    assert watermark([Progress(high=50, idle=70, ended=True)]) == 70


def test_idleness_moves_a_source_on_but_never_back() -> None:
    assert watermark([Progress(high=50, idle=70), Progress(high=90)]) == 70
    assert watermark([Progress(high=80, idle=70), Progress(high=90)]) == 80


steps = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(("high", "idle", "ended")), st.integers(-50, 50)), max_size=30
)


@settings(max_examples=200)
@given(steps)
def test_the_watermark_never_goes_back(moves: list[tuple[int, str, int]]) -> None:
    sources = [Progress() for _ in range(3)]
    before = watermark(sources)
    for s, what, to in moves:
        progress = sources[s]
        if what == "ended":
            progress.ended = True
        elif not progress.ended:  # nothing comes from a source that has ended
            setattr(progress, what, max(getattr(progress, what), to))
        now = watermark(sources)
        assert now >= before
        before = now


@given(st.integers(-100, 100) | st.just(NEVER), st.lists(st.integers(-100, 100), max_size=20), st.data())
def test_the_highest_time_before_a_record_does_not_depend_on_chunks(
    high: int, times: list[int], data: st.DataObject
) -> None:
    wanted = [max([high, *times[:k]]) for k in range(len(times))]
    cut = data.draw(st.integers(0, len(times)))
    first, middle = high_before(high, np.array(times[:cut], np.int64))
    second, last = high_before(middle, np.array(times[cut:], np.int64))
    assert [*first.tolist(), *second.tolist()] == wanted
    assert last == max([high, *times])


@pytest.mark.parametrize(("time", "wanted"), [(91, False), (90, False), (89, True)])
def test_a_record_on_the_edge_of_the_lateness_is_not_late(time: int, wanted: bool) -> None:
    assert late(np.array([time]), np.array([100]), 10).tolist() == [wanted]


def test_the_first_record_of_a_source_is_never_late_whatever_the_lateness() -> None:
    before, _ = high_before(NEVER, np.array([-(10**15)]))
    assert late(np.array([-(10**15)]), before, 10**17).tolist() == [False]
    assert late(np.array([0]), np.array([FOREVER]), 0).tolist() == [True]
