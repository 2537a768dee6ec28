"""Records with header names that are no UTF-8, read in plain Python: the fast readers refuse every batch that has one.

Kafka's Java clients cannot send such names, others can. Bytes of a name that are no UTF-8 are told as text: a
backslash, `x` and two digits each. All else is as it was.
"""

from __future__ import annotations

from typing import NamedTuple

from lepton_stream.chunk import NO_HEADERS, Headers
from lepton_stream.runtime.kafka.batches import APPEND_TIME, HEADER, Batch, batches

LONGEST_VARINT = 10


class OddRecord(NamedTuple):
    """As aiokafka's records, as far as they are asked for; `timestamp` in milliseconds."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def odd_records(batch: bytes) -> list[OddRecord]:
    """All records of one batch without compression. Raises ValueError where they are broken."""
    (head,) = batches(batch)
    cursor = _Cursor(batch, HEADER.size)
    records = [_record(cursor, head) for _ in range(head.records)]
    if cursor.at != len(batch):
        raise ValueError(f"{len(batch) - cursor.at} bytes follow the last record")
    return records


def _record(cursor: _Cursor, head: Batch) -> OddRecord:
    length = cursor.number()
    end = cursor.at + length
    cursor.take(1)
    later, further = cursor.number(), cursor.number()
    key, value = cursor.sized(), cursor.sized()
    headers = _headers(cursor)
    if cursor.at != end:
        raise ValueError(f"a record of {length} bytes ends elsewhere")
    ms = head.max_ms if head.attributes & APPEND_TIME else head.first_ms + later
    return OddRecord(head.base + further, ms, key, value, headers)


def _headers(cursor: _Cursor) -> Headers:
    count = cursor.number()
    if count < 0:
        raise ValueError(f"it announces {count} headers")
    headers = [((cursor.sized() or b"").decode(errors="backslashreplace"), cursor.sized()) for _ in range(count)]
    return headers or NO_HEADERS  # type: ignore[return-value]  # a header without a value is told as aiokafka tells it


class _Cursor:
    """Reads on from `at`; never beyond the end."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self.at = data, at

    def take(self, count: int) -> bytes:
        """The next bytes."""
        found = self._data[self.at : self.at + count]
        if count < 0 or len(found) < count:
            raise ValueError(f"{count} bytes were expected, {len(found)} are there")
        self.at += count
        return found

    def number(self) -> int:
        """A zigzag number of variable length."""
        value = 0
        for place in range(LONGEST_VARINT):
            (byte,) = self.take(1)
            value |= (byte & 0x7F) << 7 * place
            if not byte & 0x80:
                return (value >> 1) ^ -(value & 1)
        raise ValueError("a number has no end")

    def sized(self) -> bytes | None:
        """Bytes behind their length; None where that is negative."""
        count = self.number()
        return None if count < 0 else self.take(count)
