"""The broker's time, learnt from the append times in its acknowledgements."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lepton_stream.runtime.kafka.produce import Ack


class BrokerTime:
    """`now_us` goes on between acknowledgements with a clock that only goes forward."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: seconds."""
        self._clock = clock
        self._ahead: float | None = None

    def learn(self, acks: Iterable[Ack]) -> None:
        """Take the latest append time."""
        latest = max((ack.append_ms for ack in acks if ack.append_ms is not None), default=None)
        if latest is not None:
            self._ahead = latest / 1000 - self._clock()

    def now_us(self) -> int | None:
        """Microseconds since 1970, None before the first acknowledgement."""
        return None if self._ahead is None else int((self._clock() + self._ahead) * 1e6)
