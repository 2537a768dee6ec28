"""The index and the dedup memory on both paths, and on one after the other with the same tables."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.columns import Index
from lepton_stream.dedup.fingerprint import Fingerprints
from lepton_stream.dedup.index import FingerprintIndex
from lepton_stream.dedup.memory import DedupMemory
from tests.compiled.twins import on
from tests.dedup.test_index import Print, call_lists, check_call
from tests.dedup.test_memory import pieces, prints, record_lists, slow

paths = st.lists(st.sampled_from(("portable", "compiled")), min_size=1, max_size=8)


@settings(max_examples=150)
@given(call_lists, st.integers(0, 200), paths)
def test_the_index_is_a_dict_whatever_path_each_call_takes(
    calls: list[list[Print]], expected: int, turns: list[str]
) -> None:
    index, held = FingerprintIndex(expected), dict[Print, int]()
    for number, rows in enumerate(calls):
        on(turns[number % len(turns)], partial(check_call, index, held, rows, 1000 * number))


@settings(max_examples=150)
@given(record_lists(), st.integers(1, 60), st.lists(st.integers(0, 80), max_size=12), paths)
def test_the_memory_judges_the_same_whatever_path_each_chunk_takes(
    records: list[tuple[int, int]], memory: int, cuts: list[int], turns: list[str]
) -> None:
    product, found = DedupMemory(memory), list[bool]()
    for number, piece in enumerate(pieces(records, cuts)):
        offsets = np.array([offset for offset, _ in piece], np.int64)
        ids = prints([which for _, which in piece])
        judged = on(turns[number % len(turns)], partial(product.seen, ids, offsets))
        found += judged.tolist()
    assert found == slow(records, memory)


def chunk(draw: np.random.Generator, known: Index, n: int) -> Index:
    """Ids, a tenth of which came before or come twice."""
    ids = draw.integers(0, 2**40, n)
    again = draw.random(n) < 0.1
    ids[again] = draw.choice(known if len(known) else ids, int(again.sum()))
    return ids


def many(ids: Index) -> Fingerprints:
    words = ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return Fingerprints(words ^ (words >> np.uint64(31)), words)


@pytest.mark.parametrize("memory", [30_000, 400_000])
def test_growing_tables_and_turning_generations_forget_nothing_on_either_path(memory: int) -> None:
    draw = np.random.default_rng(5)
    each = {"portable": DedupMemory(memory), "compiled": DedupMemory(memory), "in turns": DedupMemory(memory)}
    known, last = np.zeros(0, np.int64), dict[int, int]()
    for number in range(90):
        offsets = np.arange(number * 10_000, (number + 1) * 10_000)
        ids = chunk(draw, known, len(offsets))
        turns = {"portable": "portable", "compiled": "compiled", "in turns": ("portable", "compiled")[number // 3 % 2]}
        found = {name: on(turns[name], partial(m.seen, many(ids), offsets)) for name, m in each.items()}
        wanted = []
        for at, which in zip(offsets.tolist(), ids.tolist(), strict=True):
            wanted.append(which in last and at - last[which] <= memory)
            last[which] = at
        assert {name: f.tolist() == wanted for name, f in found.items()} == dict.fromkeys(each, True)
        known = ids
    assert len({len(m) for m in each.values()}) == 1
