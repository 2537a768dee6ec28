"""Reads the results while faults happen: the newest version never goes back, and no version has two values."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from tests.faults.background import Background
from tests.faults.plain import follow


class Newest:
    """What a compacted topic keeps: of each key the last record. It must never be an older version than one before."""

    def __init__(self) -> None:
        self.rows: dict[bytes, dict[str, Any]] = {}
        self.repeated = 0
        self.wrong: list[str] = []
        self._values: dict[tuple[bytes, int], bytes] = {}

    def take(self, records: Iterable[tuple[bytes | None, bytes | None]]) -> None:
        """(key, value) in the order of the log."""
        for key, value in records:
            if key is not None and value is not None:
                self._take(key, value)

    def _take(self, key: bytes, value: bytes) -> None:
        row = json.loads(value)
        version = row["version"]
        before = self.rows.get(key)
        if before is not None and version < before["version"]:
            self.wrong.append(f"{key!r}: version {version} behind {before['version']}")
        known = self._values.setdefault((key, version), value)
        self.repeated += known is not value
        if known != value:
            self.wrong.append(f"{key!r}: version {version} is {known!r} and {value!r}")
        self.rows[key] = row


class Watcher:
    """In the background, from its making until `end`."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        self.newest = Newest()

        async def watch(stop: asyncio.Event) -> None:
            async for batch in follow(bootstrap, topic, partitions, stop):
                self.newest.take((record.key, record.value) for record in batch)

        self._work = Background(watch, "watcher")

    def check(self) -> None:
        """Nothing was wrong so far."""
        assert self.newest.wrong == []

    def end(self) -> Newest:
        """All that is in the topic now, having been read in order. Raises what ended it before."""
        self._work.end()
        self.check()
        return self.newest

    def abandon(self) -> None:
        """No more, whatever became of it."""
        self._work.abandon()
