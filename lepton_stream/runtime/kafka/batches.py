"""Record batches (magic 2) in the bytes of a fetch: their headers, checksums, and plain form.

Format: https://kafka.apache.org/documentation/#recordbatch
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import google_crc32c

from lepton_stream.runtime.kafka.codecs import Codec, decompress

HEADER = struct.Struct(">qiibIhiqqqhii")
LENGTH = struct.Struct(">qi")
CRC_AT, CHECKED_FROM = 17, 21
CODEC_MASK, APPEND_TIME, TRANSACTIONAL, CONTROL = 0x07, 0x08, 0x10, 0x20
MAGIC = 2


class Batch(NamedTuple):
    """One batch of a record set: where its bytes are, and the header's fields that we read."""

    begin: int
    end: int
    base: int
    magic: int
    crc: int
    attributes: int
    last: int
    first_ms: int
    max_ms: int
    producer: int
    records: int

    @property
    def next(self) -> int:
        """The offset behind it (its last record may have been compacted away)."""
        return self.base + self.last + 1

    @property
    def is_control(self) -> bool:
        """Whether it ends a transaction instead of holding records."""
        return bool(self.attributes & CONTROL)


def batches(raw: bytes, begin: int = 0) -> Iterator[Batch]:
    """The complete batches from a byte position on; brokers may cut off the last one."""
    while len(raw) - begin >= HEADER.size:
        base, length, _, *fields = HEADER.unpack_from(raw, begin)
        end = begin + LENGTH.size + length
        if end > len(raw) or length < HEADER.size - LENGTH.size:
            return
        magic, crc, attributes, last, first, most, producer, _, _, records = fields
        yield Batch(begin, end, base, magic, crc, attributes, last, first, most, producer, records)
        begin = end


def is_intact(raw: bytes, batch: Batch) -> bool:
    """Whether the checksum over all that follows it is right."""
    return int(google_crc32c.value(raw[batch.begin + CHECKED_FROM : batch.end])) == batch.crc


def uncompressed(raw: bytes, batch: Batch, bound: int) -> bytes:
    """The same batch without compression, header included; its checksum no longer fits.

    Raises codecs.TooLargeError above `bound` bytes of records, ValueError for data that cannot be decompressed.
    """
    codec = batch.attributes & CODEC_MASK
    if codec == Codec.NONE:
        return raw[batch.begin : batch.end]
    body = decompress(codec, memoryview(raw)[batch.begin + HEADER.size : batch.end], bound)
    return with_body(raw[batch.begin : batch.begin + HEADER.size], body, Codec.NONE)


def with_body(header: bytes, body: bytes, codec: Codec) -> bytes:
    """A batch of this header with another body: length and codec are mended, the checksum is not."""
    fields = list(HEADER.unpack(header))
    fields[1] = HEADER.size - LENGTH.size + len(body)
    fields[5] = fields[5] & ~CODEC_MASK | codec
    return HEADER.pack(*fields) + body


def sealed(batch: bytes) -> bytes:
    """The same batch with a checksum that fits."""
    crc = int(google_crc32c.value(batch[CHECKED_FROM:]))
    return batch[:CRC_AT] + crc.to_bytes(4, "big") + batch[CHECKED_FROM:]
