"""A few seconds of fuzzing with fixed seeds; `make fuzz` goes on with a fuzzer that watches the code."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from tests.fuzz import targets
from tests.fuzz.mutate import spoiled
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS

SEEDS = seeds()
ROUNDS = {"json": 1500, "csv": 200, "frame": 1000, "state": 800, "batch": 1500}


@pytest.mark.parametrize("name", TARGETS)
def test_spoiled_bytes_end_where_they_must(name: str) -> None:
    for data in islice(spoiled(SEEDS[name], 1), ROUNDS.get(name, 2000)):
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
@seed(7)
@settings(max_examples=60, database=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_end_where_they_must(name: str, data: bytes) -> None:
    TARGETS[name](data)


def test_every_target_begins_from_good_bytes() -> None:
    assert SEEDS.keys() == TARGETS.keys()
    assert all(SEEDS.values())


def test_a_planted_defect_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decompressor that raises what its format's library raises."""

    def careless(codec: int, data: memoryview, bound: int) -> bytes:
        if len(data) % 7 == 3:
            raise EOFError
        return bytes(data)

    monkeypatch.setattr(targets, "decompress", careless)
    with pytest.raises(EOFError):
        list(map(TARGETS["compressed"], islice(spoiled(SEEDS["compressed"], 1), 2000)))
