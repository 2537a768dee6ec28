"""The newest version of each result. Pure: records in, what to show out."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import orjson

KEYS = 1_000_000


class Board:
    """Takes results as they come, in any order; a lower version never replaces a higher one.

    It remembers the versions of the million keys that changed last. `unreadable`: records that are no results.
    """

    def __init__(self, most: int = KEYS) -> None:
        self._most = most
        self._versions: OrderedDict[bytes, int] = OrderedDict()
        self.unreadable = 0

    def take(self, key: bytes | None, value: bytes | None) -> dict[str, Any] | None:
        """The result if it is news; None for a tombstone, a repetition, and a version that was overtaken."""
        if value is None:
            return None
        row = result_of(value)
        if key is None or row is None:
            self.unreadable += 1
            return None
        if row["version"] <= self._versions.get(key, -1):
            return None
        self._versions[key] = row["version"]
        self._versions.move_to_end(key)
        if len(self._versions) > self._most:
            self._versions.popitem(last=False)
        return row


def result_of(value: bytes) -> dict[str, Any] | None:
    """The flat record of a result, None for anything else."""
    try:
        row = orjson.loads(value)
    except ValueError:
        return None
    is_result = isinstance(row, dict) and type(row.get("version")) is int and "window" in row
    return row if is_result else None
