"""The partition that Kafka's Java client gives a key: MurmurHash2, step by step, seed 0x9747b28c."""

from __future__ import annotations

MASK = 0xFFFFFFFF
M = 0x5BD1E995


def murmur2(data: bytes) -> int:
    """The 32-bit hash, unsigned."""
    h = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * M & MASK
        k = (k ^ k >> 24) * M & MASK
        h = h * M & MASK ^ k
    if data[whole:]:
        h = (h ^ int.from_bytes(data[whole:], "little")) * M & MASK
    h = (h ^ h >> 13) * M & MASK
    return h ^ h >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """The default partitioner: the hash without its sign bit, modulo the partitions."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
