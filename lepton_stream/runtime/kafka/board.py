"""The newest version of each result. Pure: records in, what to show out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, TypeAlias

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


class Events:
    """Takes events: each is a fact of its own, told once for each place in the source, model and change.

    A restart publishes those of its last checkpoint again: the million places that came last are remembered.
    """

    def __init__(self, most: int = KEYS) -> None:
        self._most = most
        self._seen: OrderedDict[tuple[Any, ...], None] = OrderedDict()
        self.unreadable = 0

    def take(self, key: bytes | None, value: bytes | None) -> dict[str, Any] | None:
        """The event if it is news."""
        row = None if value is None else event_of(value)
        if row is None:
            self.unreadable += 1
            return None
        identity = (row.get("change"), *(row[name] for name in ("model", *EVENT_PLACE)))
        if identity in self._seen:
            return None
        self._seen[identity] = None
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return row


EVENT_PLACE = ("source_topic", "source_partition", "source_offset")


def event_of(value: bytes) -> dict[str, Any] | None:
    """The flat record of an event, None for anything else."""
    try:
        row = orjson.loads(value)
    except ValueError:
        return None
    is_event = isinstance(row, dict) and all(isinstance(row.get(n), str | int) for n in ("model", *EVENT_PLACE))
    return row if is_event else None


Placed: TypeAlias = tuple[tuple[int, int, int], dict[str, Any]]
"""((timestamp, partition, offset), result)"""


class LastFew:
    """Holds back what was there at the start until it is known which few were published last."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._held: list[Placed] | None = []

    def pass_on(self, news: Sequence[Placed], *, caught_up: bool) -> list[dict[str, Any]]:
        """What can be shown now, ordered by when it was published."""
        if self._held is None:
            return [row for _, row in news]
        self._held += news
        if not caught_up:
            return []
        held, self._held = sorted(self._held, key=lambda h: h[0]), None
        return [row for _, row in held[max(0, len(held) - self._count) :]]


def result_of(value: bytes) -> dict[str, Any] | None:
    """The flat record of a result, None for anything else."""
    try:
        row = orjson.loads(value)
    except ValueError:
        return None
    is_result = isinstance(row, dict) and type(row.get("version")) is int and "window" in row
    return row if is_result else None
