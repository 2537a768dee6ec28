r"""Merge: frames in; window results out, versioned, and the state that another worker can go on from.

lepton.<pipeline>.shuffle --frames--> merge --results--> lepton.<pipeline>.results
                                        \----deltas----> lepton.<pipeline>.state
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from lepton_stream.runtime.kafka.fetch import Fetched


def declare(app: Any, topic: str, hand_over: Callable[[Fetched], None]) -> Any:
    """The agent of the shuffle topic. It awaits nothing: each partition's owner takes the frames from there.

    The owner (lepton_stream.protocol.merger) calls core.fold and core.checkpoint, commits the pointer, publishes.
    """

    @app.agent(app.chunk_topic(topic), name="merge")  # type: ignore[untyped-decorator]
    async def merge(chunks: Any) -> None:
        fetched: AsyncIterator[Fetched] = app.partitions.read(chunks)
        async for chunk in fetched:
            hand_over(chunk)

    return merge
