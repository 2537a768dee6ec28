"""The shuffle log itself: the ranges of each source follow each other without a hole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lepton_stream.shuffle.frame import decode


def assert_unbroken(records: Iterable[Any]) -> int:
    """Frames of each (shuffle partition, source) go on where the last one ended, or repeat; how many there are.

    Records in offset order of each partition. The beginning of the log may have been trimmed: then the first frame that
    is left may be a repetition of something older than the second continues.
    """
    reached: dict[tuple[int, int], int] = {}
    unsure: set[tuple[int, int]] = set()
    begins: dict[int, int] = {}
    count = 0
    for record in records:
        count += 1
        frame = decode(record.value)
        place = record.partition, frame.source
        trimmed = begins.setdefault(record.partition, record.offset) > 0
        if place not in reached:
            assert trimmed or frame.start == 0 or frame.end == frame.start, f"{place}: begins at {frame.start}"
            unsure |= {place} if trimmed else set()
        elif frame.start > reached[place]:
            assert place in unsure, f"{place}: nothing covers [{reached[place]}, {frame.start}) before {record.offset}"
            unsure.discard(place)
        reached[place] = max(reached.get(place, 0), frame.end)
    return count
