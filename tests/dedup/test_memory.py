"""The dedup memory against a dict of last offsets."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lepton_stream.dedup.fingerprint import Fingerprints
from lepton_stream.dedup.index import BYTES_A_SLOT
from lepton_stream.dedup.memory import DedupMemory

Record = tuple[int, int]
"""(offset, id)."""


def prints(ids: list[int]) -> Fingerprints:
    """Ids made fingerprints, eight of which want the same slot."""
    words = np.array(ids, np.uint64)
    return Fingerprints(words + np.uint64(1), words // np.uint64(8) * np.uint64(8) | words << np.uint64(40))


def slow(records: list[Record], memory: int) -> list[bool]:
    last: dict[int, int] = {}
    verdicts = []
    for offset, which in records:
        verdicts.append(which in last and offset - last[which] <= memory)
        last[which] = offset
    return verdicts


def seen(memory: DedupMemory, records: list[Record]) -> list[bool]:
    offsets = np.array([offset for offset, _ in records], np.int64)
    return list(memory.seen(prints([which for _, which in records]), offsets).tolist())


def pieces(records: list[Record], cuts: list[int]) -> Iterator[list[Record]]:
    """The records in chunks; a chunk may be empty."""
    bounds = [0, *sorted(min(c, len(records)) for c in cuts), len(records)]
    for a, b in pairwise(bounds):
        yield records[a:b]


@st.composite
def record_lists(draw: st.DrawFn) -> list[Record]:
    """Offsets ascend, with holes now and then; few ids, so that they come again."""
    steps = draw(st.lists(st.sampled_from((1, 1, 1, 2, 5, 40)), max_size=80))
    ids = draw(st.lists(st.integers(0, 8), min_size=len(steps), max_size=len(steps)))
    start = draw(st.sampled_from((0, 7, 2**60)))
    offsets = (np.cumsum([0, *steps])[1:] + start - 1).tolist()
    return list(zip(offsets, ids, strict=True))


@settings(max_examples=150)
@given(record_lists(), st.integers(1, 60), st.lists(st.integers(0, 80), max_size=12))
@example([(0, 1), (1, 1), (2, 2), (3, 1)], 1, [1, 2, 3])
def test_any_cut_gives_the_verdicts_of_the_slow_memory(records: list[Record], memory: int, cuts: list[int]) -> None:
    product = DedupMemory(memory)
    found = [verdict for piece in pieces(records, cuts) for verdict in seen(product, piece)]
    assert found == slow(records, memory)


@settings(max_examples=100)
@given(record_lists(), st.integers(1, 60), st.integers(0, 80))
def test_a_memory_rebuilt_from_its_last_offsets_goes_on_the_same(records: list[Record], memory: int, at: int) -> None:
    before, after = records[:at], records[at:]
    begin = after[0][0] if after else 0
    rebuilt = DedupMemory(memory)
    for record in [r for r in before if begin - memory <= r[0] < begin]:
        seen(rebuilt, [record])
    assert seen(rebuilt, after) == slow(records, memory)[at:]


@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
def test_many_generations_forget_nothing_in_reach_and_everything_beyond(chunk: int) -> None:
    memory, product = 64, DedupMemory(64)
    records = [(offset, offset % 64 if offset // 300 % 2 else offset % 65) for offset in range(2000)]
    found = []
    for at in range(0, len(records), chunk):
        found += seen(product, records[at : at + chunk])
    assert found == slow(records, memory)
    assert True in found
    assert False in found


def test_the_edge_of_the_memory_is_still_remembered() -> None:
    for memory in (1, 2, 10):
        assert seen(DedupMemory(memory), [(0, 5), (memory, 5)]) == [False, True]
        assert seen(DedupMemory(memory), [(0, 5), (memory + 1, 5)]) == [False, False]


def test_an_occurrence_refreshes_the_id_even_if_it_is_a_duplicate() -> None:
    memory = DedupMemory(10)
    assert [seen(memory, [(at, 1)]) for at in (0, 8, 16, 24)] == [[False], [True], [True], [True]]


def test_what_is_out_of_reach_leaves_so_that_the_bytes_stay_bounded() -> None:
    memory = DedupMemory(1000)
    peak = 0
    for at in range(0, 50_000, 500):
        seen(memory, [(offset, offset) for offset in range(at, at + 500)])
        peak = max(peak, memory.bytes)
        assert len(memory) <= 3 * 1000
    assert peak <= 2 * 4096 * BYTES_A_SLOT
