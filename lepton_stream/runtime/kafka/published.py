"""Published results in their newest versions: what the topic holds, then what comes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from lepton_stream import clock
from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.board import Board
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.newest import Row, keep_newer
from lepton_stream.runtime.kafka.tail import Look, Quiet
from lepton_stream.runtime.kafka.tail import follow as looks_from


async def published(
    connection: Connection,
    starts: Mapping[SourcePartition, int],
    ends: Mapping[SourcePartition, int],
    *,
    follow: bool,
) -> AsyncGenerator[list[Row], None]:
    """First what lies before `ends`, one row a result, by window, start and group; then every newer version.

    Without `follow` there is only the first batch. Raises BrokerError.
    """
    news = _News()
    async with aclosing(looks_from(connection, starts, Quiet(None, ends, clock.elapsed_s()))) as looks:
        async for look in looks:
            if rows := news.of(look):
                yield rows
            if look.caught_up and not follow:
                return


class _News:
    """Holds back what was there at the start until all of it is known."""

    def __init__(self) -> None:
        self._board = Board()
        self._held: dict[bytes, Row] | None = {}

    def of(self, look: Look) -> list[Row]:
        """What can be shown now."""
        took = ((record.key, self._board.take(record.key, record.value)) for record in look.records)
        news: list[tuple[bytes, dict[str, Any]]] = [(key, row) for key, row in took if row is not None]
        if self._held is None:
            return [row for _, row in news]
        for key, row in news:
            keep_newer(self._held, key, row)
        if not look.caught_up:
            return []
        held, self._held = self._held, None
        return [row for _, row in sorted(held.items(), key=_place)]


def _place(held: tuple[bytes, Row]) -> tuple[str, int, bytes]:
    key, row = held
    start = row.get("window_start")
    return str(row["window"]), start if isinstance(start, int) else 0, key
