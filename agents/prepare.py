r"""Prepare: raw records in; clean, deduplicated, grouped frames out.

source topic --chunk--> prepare --frames--> lepton.<pipeline>.shuffle
                           |----late------> lepton.<pipeline>.late
                           \----rejected--> <source topic>.dlq
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from lepton_stream.runtime.kafka.fetch import Fetched


def declare(app: Any, topic: str, hand_over: Callable[[Fetched], None]) -> Any:
    """The agent of the source topic. It awaits nothing: each partition's owner takes the chunks from there.

    The owner (lepton_stream.protocol.preparer) claims a range, calls core.prepare, sends, completes.
    """

    @app.agent(app.chunk_topic(topic), name="prepare")  # type: ignore[untyped-decorator]
    async def prepare(chunks: Any) -> None:
        fetched: AsyncIterator[Fetched] = app.partitions.read(chunks)
        async for chunk in fetched:
            hand_over(chunk)

    return prepare
