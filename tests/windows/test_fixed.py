"""Which window an event time belongs to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.pipeline.plan import Window
from lepton_stream.windows.fixed import end_of, first_of, number_of, start_of


def window(size: int, offset: int = 0) -> Window:
    return Window("w", size, (), (), offset_us=offset)


@pytest.mark.parametrize(
    ("time", "size", "offset", "number"),
    [
        *((0, 10, 0, 0), (9, 10, 0, 0), (10, 10, 0, 1), (-1, 10, 0, -1), (-10, 10, 0, -1), (-11, 10, 0, -2)),
        *((2, 10, 3, -1), (3, 10, 3, 0), (12, 10, 3, 0), (13, 10, 3, 1), (0, 10, -3, 0), (7, 10, -3, 1)),
    ],
)
def test_record_on_the_edge_belongs_to_the_later_window(time: int, size: int, offset: int, number: int) -> None:
    assert number_of(window(size, offset), np.array([time])).tolist() == [number]


times = st.integers(-(2**61), 2**61)


@given(st.lists(times, max_size=20), st.integers(1, 10**14), st.integers(-(10**14), 10**14))
def test_every_time_lies_in_the_one_window_that_it_belongs_to(drawn: list[int], size: int, offset: int) -> None:
    section, time = window(size, offset), np.array(drawn, np.int64)
    number = number_of(section, time)
    assert ((start_of(section, number) <= time) & (time < end_of(section, number))).all()
    assert (end_of(section, number) == start_of(section, number + 1)).all()


@given(st.lists(times, max_size=20), st.integers(1, 10**13), st.integers(1, 30), st.integers(0, 10**13))
def test_a_time_lies_in_as_many_hopping_windows_as_steps_fit_into_the_size(
    drawn: list[int], every: int, overlap: int, offset: int
) -> None:
    section = Window("w", every * overlap, (), (), offset_us=offset, kind="hopping", every_us=every)
    time = np.array(drawn, np.int64)
    last = number_of(section, time)
    first = first_of(section, last)
    assert (last - first == overlap - 1).all()
    for number in (first, last):
        assert ((start_of(section, number) <= time) & (time < end_of(section, number))).all()
    assert (end_of(section, first - 1) <= time).all()
    assert (start_of(section, last + 1) > time).all()
