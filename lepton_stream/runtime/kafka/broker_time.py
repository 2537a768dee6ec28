"""The broker's time, learnt from the append times in its acknowledgements."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lepton_stream.runtime.kafka.produce import Ack


class BrokerTime:
    """`now_us` goes on between acknowledgements with a clock that only goes forward."""

    def __init__(self, clock: Callable[[], float], instead: Callable[[], int] | None = None) -> None:
        """`clock`: seconds. `instead`: whose microseconds to take while the broker has told none."""
        self._clock, self._instead = clock, instead
        self._ahead: float | None = None

    def learn(self, acks: Iterable[Ack]) -> None:
        """Take the latest append time."""
        latest = max((ack.append_ms for ack in acks if ack.append_ms is not None), default=None)
        if latest is not None:
            self._ahead = latest / 1000 - self._clock()

    def now_us(self) -> int | None:
        """Microseconds since 1970, None before the first acknowledgement."""
        if self._ahead is not None:
            return int((self._clock() + self._ahead) * 1e6)
        return None if self._instead is None else self._instead()
