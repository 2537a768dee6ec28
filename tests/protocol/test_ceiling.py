"""The ceiling on dead letters: stops a flood at the same record however the log is cut, and nothing else."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream import core
from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.errors import FloodError
from lepton_stream.formats.decoder import Reason, Reject
from lepton_stream.pipeline.check import check
from lepton_stream.pipeline.plan import DeadLetters
from lepton_stream.protocol.ceiling import Ceiling
from lepton_stream.protocol.ports import Position
from lepton_stream.protocol.preparer import Preparer
from tests.core.streams import new_job
from tests.pipeline.plans import small

SOURCE = SourcePartition("readings", 3)


def chunk(start: int, n: int) -> Chunk:
    offsets = np.arange(start, start + n)
    return Chunk(SOURCE, start, start + n, offsets, Values.from_list([b"x"] * n), np.zeros(n, np.int64))


def stopped_at(dead: list[bool], setting: DeadLetters, cuts: list[int]) -> int | None:
    """In which run of records the ceiling stops, None if it does not."""
    ceiling, edges = Ceiling(setting), sorted({0, len(dead), *(c % (len(dead) + 1) for c in cuts)})
    for start, end in pairwise(edges):
        rejects = [Reject(i, Reason.DECODE_ERROR, "why") for i in range(end - start) if dead[start + i]]
        random.Random(start).shuffle(rejects)  # no order is promised
        try:
            ceiling.add(chunk(start, end - start), rejects)
        except FloodError as error:
            first = next(i for i in range(len(dead)) if dead[i] and str(error).count(f"at offset {i}:"))
            return first // setting.among
    return None


@given(
    st.lists(st.booleans(), max_size=60),
    st.integers(1, 12),
    st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]),
    st.lists(st.integers(0, 99), max_size=6),
)
def test_a_flood_is_stopped_in_the_same_run_of_records_however_they_are_cut(
    dead: list[bool], among: int, share: float, cuts: list[int]
) -> None:
    runs = [dead[at : at + among] for at in range(0, len(dead), among)]
    expected = next((i for i, run in enumerate(runs) if sum(run) > share * among), None)
    assert stopped_at(dead, DeadLetters(share, among), cuts) == expected


def test_the_message_names_topic_partition_offset_the_first_reason_and_the_next_step() -> None:
    ceiling = Ceiling(DeadLetters(0.5, 100))
    ceiling.add(chunk(40, 30), [Reject(i, Reason.TOO_DEEP, "nested") for i in range(5, 30)])
    with pytest.raises(FloodError) as caught:
        ceiling.add(chunk(70, 40), [Reject(i, Reason.WRONG_TYPE, "other") for i in range(40)])
    said = str(caught.value)
    for words in (
        "readings partition 3", "65 of the 70 records up to offset 109", "dead_letters.ceiling = 0.5", "among 100",
        "at offset 45: too_deep, nested", "before offset 70", "(1: never stop)", "lepton-stream dlq",
    ):  # fmt: skip
        assert words in said, said


def test_a_third_of_dirty_input_never_stops_by_default_and_a_share_of_one_stops_nothing() -> None:
    thirds = [i % 3 == 0 for i in range(100_000)]
    assert stopped_at(thirds, DeadLetters(), [7, 20_000]) is None
    assert stopped_at([True] * 30_000, DeadLetters(ceiling=1.0), [500]) is None
    assert stopped_at([True] * 4_999, DeadLetters(), []) is None
    assert stopped_at([False] * 10_000 + [True] * 6_000, DeadLetters(), [9_999]) == 1


class Port:
    """Notes what happens outside."""

    def __init__(self) -> None:
        self.done = list[str]()

    async def commit(self, offset: int, metadata: str) -> None:
        self.done.append(f"commit {offset}")

    async def send(self, frames: object) -> None:
        self.done.append("send")

    async def set_aside(self, chunk: Chunk, prepared: core.Prepared) -> None:
        self.done.append("set aside")

    async def admitted(self, high: int) -> None:
        return


def test_a_flood_leaves_nothing_sent_and_the_position_before_it() -> None:
    async def flooded() -> list[str]:
        port = Port()
        preparer = Preparer(new_job(), SOURCE, port)
        preparer.begin(Position(None, None, 0, 20_000))
        await preparer.take(chunk(0, 3000))
        await preparer.settle()
        before = len(port.done)
        with pytest.raises(FloodError):
            await preparer.take(chunk(3000, 3000))
        assert preparer.done == 3000
        return port.done[before:]

    assert asyncio.run(flooded()) == ["commit 3000"]  # the claim: the next owner prepares the same range again


def test_the_setting_is_read_checked_and_written_out() -> None:
    plan = check(small(dead_letters={"ceiling": 1, "among": 500}))
    assert plan.dead_letters == DeadLetters(1.0, 500)
    assert check(small()).dead_letters == DeadLetters(0.5, 10_000)
