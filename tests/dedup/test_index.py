"""The index against a dict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.dedup.fingerprint import Fingerprints
from lepton_stream.dedup.index import NOTHING, FingerprintIndex

Print = tuple[int, int]

# few different low bits, so that nearly all collide; the last slots, so that probing runs over the end of the table
lows = st.sampled_from((0, 1, 62, 63, 64, 2**64 - 1, 2**63)) | st.integers(0, 2**64 - 1)
prints_drawn = st.tuples(st.integers(0, 3) | st.just(2**64 - 1), lows)
call_lists = st.lists(st.lists(prints_drawn, max_size=60), max_size=6)


def columns(prints: Sequence[Print]) -> Fingerprints:
    return Fingerprints(np.array([h for h, _ in prints], np.uint64), np.array([low for _, low in prints], np.uint64))


def check_call(index: FingerprintIndex, held: dict[Print, int], prints: Sequence[Print], first_value: int) -> None:
    """Settle, look at what is told, put values, and look again."""
    rows = columns(prints)
    assert index.find(rows).tolist() == [held.get(p, NOTHING) for p in prints]
    slots, new = index.settle(rows)
    assert new.tolist() == [p not in held for p in prints]
    assert len(set(slots.tolist())) == len(set(prints))
    assert index.get(slots)[~new].tolist() == [held[p] for p in prints if p in held]
    assert index.first_rows(slots).tolist() == [prints.index(p) for p in prints]
    values = np.arange(first_value, first_value + len(prints))
    index.put(slots, values)
    held.update(zip(prints, values.tolist(), strict=True))
    assert index.get(slots).tolist() == [held[p] for p in prints]
    assert index.used == len(held) <= index.capacity


@settings(max_examples=150)
@given(call_lists, st.integers(0, 200))
def test_index_is_a_dict(calls: list[list[Print]], expected: int) -> None:
    index, held = FingerprintIndex(expected), dict[Print, int]()
    for number, prints in enumerate(calls):
        check_call(index, held, prints, 1000 * number)
    every = [*held, (7, 7), (0, 2**40)]
    assert index.find(columns(every)).tolist() == [held.get(p, NOTHING) for p in every]


def test_index_grows_far_beyond_what_was_expected_and_keeps_all() -> None:
    draw = np.random.default_rng(3)
    index, held = FingerprintIndex(0), dict[Print, int]()
    for number in range(12):
        words = draw.integers(0, 2**63, (2, 2**number), np.uint64)
        check_call(index, held, list(zip(words[0].tolist(), words[1].tolist(), strict=True)), number << 20)
    assert index.slots >= len(held) / 0.75


def test_fingerprints_that_all_want_one_slot_are_told_apart() -> None:
    prints = [(high, low << 40) for high in range(20) for low in range(20)]
    index, held = FingerprintIndex(10), dict[Print, int]()
    for at in range(0, len(prints), 37):
        check_call(index, held, prints[at : at + 37] * 2, 1000 * at)


def test_room_that_was_asked_for_is_not_grown_again() -> None:
    for expected in (1, 37, 38, 39, 1000, 1 << 15):
        index = FingerprintIndex(expected)
        assert index.capacity >= expected
        capacity = index.capacity
        index.settle(columns([(i, i) for i in range(expected)]))
        assert index.capacity == capacity
