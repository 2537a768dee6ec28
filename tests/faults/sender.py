"""Sends the load at a rate with a plain Kafka client, through every fault, and enters what was acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.data.planted import Planted
from tests.faults.background import Background
from tests.faults.ledger import Acked, Ledger, crc_of
from tests.reference.murmur2 import partition_of

WAVES_A_SECOND = 10
LARGEST = 16 << 20


def headers_of(number: int) -> list[tuple[str, bytes]]:
    """Every third record has headers, of which one is no text."""
    return [("trace", b"%d" % number), ("odd", b"\xff\x00")] if number % 3 == 0 else []


class Sender:
    """In the background, from its making on. What was sent and not acknowledged may or may not be in the topic."""

    def __init__(
        self, bootstrap: str, topic: str, records: Iterable[Planted], *, count: int, rate: int, partitions: int,
        path: Path,
    ) -> None:  # fmt: skip
        self._bootstrap, self._topic, self._partitions = bootstrap, topic, partitions
        self._records, self._count, self._rate = iter(records), count, rate
        self.ledger = Ledger(path)
        self.sent = self.unacked = 0
        self._work = Background(self._send_all, "sender")

    async def _send_all(self, stop: asyncio.Event) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True, request_timeout_ms=90_000,
            max_request_size=LARGEST, linger_ms=5, retry_backoff_ms=50,
        )  # fmt: skip
        await producer.start()
        try:
            began = time.monotonic()
            while self.sent < self._count and not stop.is_set():
                due = int((time.monotonic() - began) * self._rate) + self._rate // WAVES_A_SECOND
                wave = list(islice(self._records, max(0, min(due, self._count) - self.sent)))
                if not wave:
                    await asyncio.sleep(1 / WAVES_A_SECOND / 4)
                    continue
                await self._send(producer, wave)
        finally:
            await producer.stop()
            self.ledger.close()

    async def _send(self, producer: AIOKafkaProducer, wave: list[Planted]) -> None:
        """All of these, and wait: a record that is not acknowledged is never entered."""
        first, self.sent = self.sent, self.sent + len(wave)
        futures = [
            await producer.send(
                self._topic, record.value, key=record.key, partition=partition_of(record.key, self._partitions),
                headers=headers_of(first + n),
            )
            for n, record in enumerate(wave)
        ]  # fmt: skip
        acks = await asyncio.gather(*futures, return_exceptions=True)
        lost = [ack for ack in acks if isinstance(ack, BaseException)]
        if other := [error for error in lost if not isinstance(error, KafkaError)]:
            raise other[0]
        self.unacked += len(lost)
        self.ledger.add([
            Acked(first + n, ack.partition, ack.offset, crc_of(record.key, record.value))
            for n, (record, ack) in enumerate(zip(wave, acks, strict=True))
            if not isinstance(ack, BaseException)
        ])  # fmt: skip

    def wait(self, seconds: float = 120) -> None:
        """Until all is sent."""
        self._work.wait(seconds)

    def end(self) -> None:
        """No more."""
        self._work.end()

    def abandon(self) -> None:
        """No more, whatever became of it."""
        self._work.abandon()
