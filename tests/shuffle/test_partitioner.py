"""The partitioner over a column of keys gives what Kafka's clients give key by key."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from aiokafka import partitioner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lepton_stream.columns import take, text_from_bytes
from lepton_stream.shuffle.murmur2 import murmur2, partition_of

CLIENT: Callable[[bytes], int] = partitioner.murmur2
keys_drawn = st.lists(st.binary(max_size=40) | st.binary(min_size=1015, max_size=1035), max_size=12)


@settings(max_examples=60)
@given(keys_drawn)
@example([bytes(range(256)) * 8, b"", b"\xff" * 1024, b"\x80" * 1025, b"a", bytes(5000)])
def test_hashes_are_those_of_the_client_library(keys: list[bytes]) -> None:
    assert murmur2(text_from_bytes(keys)).tolist() == [CLIENT(key) & 0xFFFFFFFF for key in keys]


def test_every_length_is_hashed_as_the_client_does() -> None:
    draw = np.random.default_rng(5)
    keys = [draw.bytes(length) for length in range(1100)]
    assert murmur2(text_from_bytes(keys)).tolist() == [CLIENT(key) & 0xFFFFFFFF for key in keys]


def test_rows_taken_from_a_shared_buffer_hash_as_their_own_bytes() -> None:
    keys = text_from_bytes([b"one", b"three", b"fifteen letters", b""])
    rows = np.array([2, 0, 3, 2, 1])
    assert murmur2(take(keys, rows)).tolist() == murmur2(keys)[rows].tolist()  # type: ignore[arg-type]


@settings(max_examples=60)
@given(keys_drawn, st.integers(1, 300))
def test_the_partition_is_the_hash_without_its_sign(keys: list[bytes], partitions: int) -> None:
    wanted = [(CLIENT(key) & 0x7FFFFFFF) % partitions for key in keys]
    assert partition_of(text_from_bytes(keys), partitions).tolist() == wanted
