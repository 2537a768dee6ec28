"""What becomes of a producer's other tasks when a send of one has failed, whatever they are about."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.errors import SendFailed
from lepton_stream.runtime.kafka.produce import Producer, Record

FIRST, SECOND = (SourcePartition("t", p) for p in range(2))


class Client:
    """Of aiokafka, as far as a producer asks it: whoever sends decides how it ends."""

    def __init__(self) -> None:
        self.sent: dict[int, asyncio.Future[Any]] = {}
        self._message_accumulator = SimpleNamespace(_pending_batches=set(), _batches={})
        self._sender = self.client = self
        self._closed = False

    async def start(self) -> None: ...

    async def close(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    async def send_batch(self, _builder: Any, _topic: str, *, partition: int) -> asyncio.Future[Any]:
        return self.sent.setdefault(partition, asyncio.get_running_loop().create_future())


class Failing(Producer):
    """A producer over such a client."""

    def __init__(self) -> None:
        super().__init__(Connection("127.0.0.1:1"))
        self.fake = Client()

    def _make(self) -> Any:
        return self.fake


async def ticks(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


@pytest.mark.parametrize("later", range(12))
async def test_who_sends_about_when_another_fails_hears_why(later: int) -> None:
    async with Failing() as producer:
        failing = asyncio.create_task(producer.send_all([Record(FIRST, b"1")]))
        await ticks(5)
        producer.fake.sent[0].set_exception(KafkaError("planted"))
        await ticks(later)
        other = asyncio.create_task(producer.send_all([Record(SECOND, b"2"), Record(FIRST, b"3")]))
        for error in await asyncio.gather(failing, other, return_exceptions=True):
            assert isinstance(error, SendFailed)
            assert "planted" in str(error)
