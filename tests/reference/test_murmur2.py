"""The slow partitioner gives what Kafka's clients give."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from aiokafka import partitioner

from tests.reference.murmur2 import murmur2, partition_of

CLIENT: Callable[[bytes], int] = partitioner.murmur2


@pytest.mark.parametrize(
    ("key", "signed"),
    [  # from the tests of Kafka's Java client: UtilsTest.testMurmur2
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_hash_is_that_of_the_java_client(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed & 0xFFFFFFFF


def test_hash_is_that_of_the_client_library_for_every_length() -> None:
    draw = random.Random(7)
    for length in range(70):
        key = draw.randbytes(length)
        assert murmur2(key) == CLIENT(key) & 0xFFFFFFFF
        assert partition_of(key, 12) == (CLIENT(key) & 0x7FFFFFFF) % 12
