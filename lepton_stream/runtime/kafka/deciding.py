"""Where decisions of the autopilot go: the decisions topic, the log, and what metrics tell of them."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable

from aiokafka.errors import KafkaError

from lepton_stream import clock
from lepton_stream.autopilot.decision import Decision
from lepton_stream.autopilot.record import Identity, Remembered, Told, record_of
from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import LeptonError
from lepton_stream.runtime.kafka.produce import Producer, Record
from lepton_stream.telemetry.catalogue import DECIDED, DECISIONS_UNSENT
from lepton_stream.telemetry.facts import tell as tell_fact

MOST_WAITING = 1000
"""Decisions kept for a broker that is away; the oldest go first."""
CLOSE_S = 3.0


class Deciding:
    """Takes decisions and returns at once: what becomes of them never holds up, or ends, the work they are about."""

    def __init__(
        self, make: Callable[[], Producer] | None, topic: str, worker: str, now_us: Callable[[], int] = clock.now_us
    ) -> None:
        """`make`: a producer that is not opened yet; None: the topic does not exist, so decisions are only logged.

        `worker`: the name by which people know this one.
        """
        self._make, self._to = make, SourcePartition(topic, 0)
        self._now_us = now_us
        self._remembered = Remembered(worker, secrets.token_hex(4))
        self._waiting: deque[Told] = deque(maxlen=MOST_WAITING)
        self._producer: Producer | None = None
        self._sending: asyncio.Task[None] | None = None
        self.newest: dict[Identity, Told] = {}
        """The last decision about each."""
        self.completed: dict[Identity, Told] = {}
        """The last one about each of which it is known what it delivered."""
        self.note: Callable[[Decision], None] = _nobody
        """Told every decision that is new."""
        self.note_sent: Callable[[str, int], None] = _uncounted
        """Told (topic, bytes) of what is acknowledged."""

    @property
    def kept(self) -> bool:
        """Whether decisions go to their topic; else they are only logged."""
        return self._make is not None

    def tell(self, decision: Decision) -> None:
        """A decision, or an earlier one again with what it delivered. Called in the event loop; sends behind it."""
        told, new = self._remembered.told(decision, self._now_us() // 1000)
        if new:
            self.note(told.decision)
        if told.decision.delivered is not None:
            self.completed[told.identity] = told
        if new or self.newest[told.identity].decision.id == told.decision.id:
            self.newest[told.identity] = told
        _log(told)
        if self._make is not None:
            self._waiting.append(told)
            if self._sending is None or self._sending.done():
                self._sending = asyncio.create_task(self._send(self._make), name="decisions")

    async def _send(self, make: Callable[[], Producer]) -> None:
        """All that waits. After a failure it goes on waiting, until the next decision comes or the worker leaves."""
        some: list[Told] = []
        try:
            while self._waiting:
                some = list(self._waiting)
                self._waiting.clear()
                if self._producer is None:
                    self._producer = await make().open()
                    self._producer.note_sent = self.note_sent
                await self._producer.send_all(self._record(told) for told in some)
        except (LeptonError, KafkaError, TimeoutError, OSError) as error:
            self._waiting = deque([*some, *self._waiting], maxlen=MOST_WAITING)
            tell_fact(DECISIONS_UNSENT, waiting=len(self._waiting), error=str(error))
            await self._drop_producer()  # one that has failed sends nothing more

    def _record(self, told: Told) -> Record:
        key, value = record_of(told)
        return Record(self._to, value, key)

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.close()

    async def close(self) -> None:
        """Give what waits a moment to go, and let go of the connection."""
        try:
            async with asyncio.timeout(CLOSE_S):
                if self._sending is not None:
                    await asyncio.wait([self._sending])
                if self._make is not None and self._waiting:
                    await self._send(self._make)
        except TimeoutError:
            tell_fact(DECISIONS_UNSENT, waiting=len(self._waiting), error="the worker leaves")
        finally:
            if self._sending is not None:
                self._sending.cancel()
                await asyncio.gather(self._sending, return_exceptions=True)
            await self._drop_producer()


def _log(told: Told) -> None:
    d = told.decision
    name, value = d.promised
    tell_fact(
        DECIDED,
        knob=d.knob,
        about=d.about,
        choice=d.choice,
        why=d.why,
        measure=name,
        promised=value,
        delivered=d.delivered,
    )


def _uncounted(_topic: str, _size: int) -> None:
    """Nobody asks how much is sent."""


def _nobody(_decision: Decision) -> None:
    """Nobody asks what is decided."""
