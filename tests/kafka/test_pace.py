"""What an owner takes up at once: never more than it can do in a step, and every record in its turn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.chunk import Chunk, SourcePartition, Values, join
from lepton_stream.runtime.kafka.fetch import Fetched
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.inbox import Inbox, memory_of
from lepton_stream.runtime.kafka.pace import Pace

TP = SourcePartition("t", 0)


class OpenGate:
    def pause(self, tp: SourcePartition, reason: str = "") -> None: ...
    def resume(self, tp: SourcePartition, reason: str = "") -> None: ...


def chunk(start: int, values: list[bytes | None]) -> Chunk:
    offsets = np.arange(start, start + len(values))
    return Chunk(TP, start, start + len(values), offsets, Values.from_list(values), offsets)


values = st.lists(st.none() | st.binary(max_size=12), min_size=1, max_size=12)


@settings(max_examples=200)
@given(st.lists(values, min_size=1, max_size=4), st.integers(1, 400))
def test_every_record_comes_once_and_in_order_in_steps_of_the_size_asked_for(
    given_values: list[list[bytes | None]], most: int
) -> None:
    inbox, at = Inbox(TP, OpenGate(), 1 << 20), 0
    for one in given_values:
        inbox.put(Fetched(chunk(at, one), Identity(1, "me"), 1, 1))
        at += len(one)
    taken = []
    while step := inbox.take(most):
        whole = join(step)
        assert len(whole)
        assert memory_of(whole) <= most or len(whole) == 1
        taken.append(whole)
    assert join(taken).values.to_list() == [value for one in given_values for value in one]
    assert (inbox.bytes, inbox.empty) == (0, True)


def test_without_a_bound_a_chunk_is_taken_whole() -> None:
    inbox = Inbox(TP, OpenGate(), 1 << 20)
    inbox.put(Fetched(chunk(0, [b"x" * 100] * 50), Identity(1, "me"), 1, 1))
    assert [len(one) for one in inbox.take()] == [50]


@pytest.mark.parametrize(("rate", "wanted"), [(250e6, 6.25e6), (10e6, 250e3), (1e3, 1 << 16)])
def test_the_size_of_a_step_follows_what_steps_take(rate: float, wanted: float) -> None:
    pace = Pace(goal_s=0.025)
    for _ in range(30):
        pace.note(pace.bytes, pace.bytes / rate)
    assert pace.bytes == pytest.approx(wanted, rel=0.02)


def test_small_steps_and_steps_without_time_tell_nothing() -> None:
    pace = Pace()
    before = pace.bytes
    pace.note(10, 5.0)
    pace.note(1 << 20, 0.0)
    assert pace.bytes == before
