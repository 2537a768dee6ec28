"""Events of equal length framed for Kafka as a matrix of bytes.

Format of a record: https://kafka.apache.org/documentation/#record
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lepton_stream.bench.stream import Bytes
from lepton_stream.runtime.kafka.bulk import Framed

MOST = 8000
"""Records of a batch: their offsets then take at most two bytes."""
_ONE_BYTE = 64


def framed(keys: Bytes, values: Bytes, timestamp_ms: int) -> Iterator[Framed]:
    """Batches of records, each with its key; keys are below 64 bytes, values below 8,000."""
    for begin in range(0, len(values), MOST):
        key, value = keys[begin : begin + MOST], values[begin : begin + MOST]
        head, tail = slice(0, _ONE_BYTE), slice(_ONE_BYTE, None)
        parts = [_rows(key[s], value[s], i) for i, s in ((0, head), (_ONE_BYTE, tail)) if len(value[s])]
        yield Framed(b"".join(part.tobytes() for part in parts), len(value), timestamp_ms)


def _rows(keys: Bytes, values: Bytes, first: int) -> Bytes:
    """Records whose offsets in the batch begin at `first`, all of them with equally long offsets."""
    n, key, value = len(values), keys.shape[1], values.shape[1]
    offset = 2 * np.arange(first, first + n)
    wide = first >= _ONE_BYTE
    parts = [
        _constant(n, b"\0\0"),  # attributes; milliseconds after the batch's first
        _two_bytes(offset) if wide else offset.astype(np.uint8)[:, None],
        _constant(n, _varint(key)), keys, _constant(n, _varint(value)), values,
        _constant(n, b"\0"),  # no headers
    ]  # fmt: skip
    length = sum(part.shape[1] for part in parts)
    return np.concatenate([_constant(n, _varint(length)), *parts], axis=1)


def _constant(n: int, octets: bytes) -> Bytes:
    return np.broadcast_to(np.frombuffer(octets, np.uint8), (n, len(octets)))


def _two_bytes(coded: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Bytes:
    return np.stack([coded & 0x7F | 0x80, coded >> 7], axis=1).astype(np.uint8)


def _varint(number: int) -> bytes:
    """A number of zero or more, zigzag coded."""
    coded, out = number << 1, bytearray()
    while coded >= 0x80:
        out.append(coded & 0x7F | 0x80)
        coded >>= 7
    return bytes([*out, coded])
