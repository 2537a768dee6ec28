"""A single worker outlasts its broker: what ended because the broker went away begins again when it is back."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.workers import RESTART_SECONDS
from lepton_stream.telemetry.catalogue import WORKER_ENDED
from lepton_stream.telemetry.facts import tell

T = TypeVar("T")


async def outlast(
    work: Callable[[], Awaitable[T]], again: Callable[[], Awaitable[T]], stop: asyncio.Event, say: Callable[[str], None]
) -> T:
    """`work`; whenever the broker went away from under it, `again`, for as long as it takes or until `stop` is set.

    `again` connects anew and goes on from what is committed, as a worker of a crew does that is started again. Raises
    what the two raise; a BrokerError only once `stop` is set.
    """
    doing = work
    while True:
        try:
            return await doing()
        except BrokerError as error:
            if stop.is_set():
                raise
            say(f"{error}; starting again")
            tell(WORKER_ENDED, worker=0, exit_code=error.exit_code, again=True)
        gc.collect()  # tasks and clients of before know each other, and the collector is told to leave such alone
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), RESTART_SECONDS)
        doing = again
