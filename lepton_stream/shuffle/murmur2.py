"""Kafka's partitioner over a whole column of keys.

MurmurHash2 (Austin Appleby, public domain) as the Java client computes it: seed 0x9747b28c, 32 bits, and the partition
is the hash without its sign bit, modulo the number of partitions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Index, Text
from lepton_stream.compiled import switch

_SEED = 0x9747B28C
_M = 0x5BD1E995
_LONG = 1024  # longer keys are hashed one by one: a column would loop over its longest

_Hashes = NDArray[np.uint32]


def murmur2(keys: Text) -> _Hashes:
    """uint32[n]: the hash of each row's bytes."""
    functions = switch.current()
    if functions is not None:
        return functions.murmur2(keys.data, keys.start, keys.length)
    length = keys.length
    long = length > _LONG
    h = np.uint32(_SEED) ^ length.astype(np.uint32)
    every = np.ndarray((len(keys.data) - 3,), "<u4", keys.data, strides=(1,))
    for at in range(0, int(length[~long].max(initial=0)) // 4 * 4, 4):
        rows = np.flatnonzero((length >= at + 4) & ~long)
        k = every[keys.start[rows] + at] * np.uint32(_M)
        k = (k ^ (k >> np.uint32(24))) * np.uint32(_M)
        h[rows] = h[rows] * np.uint32(_M) ^ k
    rest = length % 4
    rows = np.flatnonzero((rest > 0) & ~long)
    tail = every[keys.start[rows] + (length - rest)[rows]] & _TAIL[rest[rows]]
    h[rows] = (h[rows] ^ tail) * np.uint32(_M)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(_M)
    h = h ^ (h >> np.uint32(15))
    for row in np.flatnonzero(long).tolist():
        a, n = int(keys.start[row]), int(length[row])
        h[row] = _murmur2_one(keys.data[a : a + n].tobytes())
    return h


_TAIL = np.array([0, 0xFF, 0xFFFF, 0xFFFFFF], np.uint32)


def _murmur2_one(data: bytes) -> int:
    word = 0xFFFFFFFF
    h = _SEED ^ len(data)
    whole = len(data) // 4 * 4
    for k in np.frombuffer(data[:whole], "<u4").tolist():
        k = k * _M & word
        k = (k ^ k >> 24) * _M & word
        h = h * _M & word ^ k
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & word
    h = (h ^ h >> 13) * _M & word
    return h ^ h >> 15


def partition_of(keys: Text, partitions: int) -> Index:
    """int64[n]: the partition that Kafka's default partitioner gives each key."""
    return (murmur2(keys) & np.uint32(0x7FFFFFFF)).astype(np.int64) % partitions
