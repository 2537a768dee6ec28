"""Records to the broker, all acknowledged or an error: nothing is dropped and gone on from."""

# ruff: noqa: SLF001  (what lies inside aiokafka and Faust is pinned by tests/kafka/test_contract.py)

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidProducerEpoch, KafkaConnectionError, KafkaError, ProducerFenced

from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import LeptonError
from lepton_stream.runtime.kafka.bulk import Bulk, Framed, Packed, split
from lepton_stream.runtime.kafka.compress import Builder, Compressing, Compression
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.credentials import client_options, diagnose
from lepton_stream.runtime.kafka.errors import Fenced, SendFailed
from lepton_stream.runtime.kafka.said import remedy

BATCH_BYTES = 1 << 20
NO_TIME = -1


class Record(NamedTuple):
    """What is sent. Without `timestamp_ms` the time of sending is used."""

    to: SourcePartition
    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp_ms: int | None = None


class Ack(NamedTuple):
    """Where a record was written, and when if the topic keeps the broker's time (else None)."""

    offset: int
    append_ms: int | None


class Waiting(NamedTuple):
    """A batch that waits to be sent, and what it ends with: more records may join it until it goes."""

    builder: Builder
    acknowledged: asyncio.Task[Any]


class Producer:
    """Sends whole lists of records with acks=all, one batch of a partition after the other.

    One request at a time is under way to a broker. What several tasks have for the same partition meanwhile goes
    together in one batch, which takes one request instead of as many as there are tasks.

    After a failed send this producer sends nothing more: a gap in what was sent must not be followed by anything.
    `timeout`: seconds until a batch that is not acknowledged has failed.
    """

    def __init__(
        self, connection: Connection, *, compression: Compressing | None = None, timeout: float = 60.0,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:  # fmt: skip
        self.connection, self.timeout = connection, timeout
        self.compression: Compressing = compression or Compression()
        """May be changed at any time; the next batch follows."""
        self._batch_bytes = batch_bytes
        self.note_sent: Callable[[str, int], None] = _nobody
        """Told (topic, bytes of the finished batch) of every batch that is acknowledged."""
        self._producer: Any = None
        self._waiting: dict[SourcePartition, Waiting] = {}
        self._sending: set[asyncio.Task[Any]] = set()
        self._failure: LeptonError | None = None

    async def open(self) -> Self:
        """Connect. Raises BrokerError with cause and remedy."""
        self._producer = self._make()
        try:
            await self._producer.start()
        except KafkaConnectionError:
            await self._abandon()
            raise (await diagnose(self.connection, 10.0)) from None
        return self

    def _make(self) -> Any:
        return AIOKafkaProducer(
            acks="all",
            request_timeout_ms=int(self.timeout * 1000),
            retry_backoff_ms=50,
            **client_options(self.connection),
        )

    async def close(self) -> None:
        """Close; what is not acknowledged yet is abandoned. Again does nothing."""
        await self._abandon()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send_all(self, records: Iterable[Record], compression: Compressing | None = None) -> list[Ack]:
        """Send the records, in order within each partition; one acknowledgement each, in the order given.

        `compression`: of these, None: the producer's.

        Raises SendFailed, or Fenced where a newer owner has taken over; then nothing more goes out of this producer.
        """
        if self._failure is not None:
            raise self._failure
        by_partition: dict[SourcePartition, list[tuple[int, Record]]] = {}
        for place, record in enumerate(records):
            by_partition.setdefault(record.to, []).append((place, record))
        acks: dict[int, Ack] = {}
        packer = compression or self.compression
        await self._together(self._send_partition(tp, numbered, acks, packer) for tp, numbered in by_partition.items())
        return [acks[place] for place in range(len(acks))]

    async def send_bulk(self, bulks: Mapping[SourcePartition, Bulk]) -> None:
        """Send columns of records, in order within each partition; raises what `send_all` raises."""
        if self._failure is not None:
            raise self._failure
        await self._together(self._send_bulk(tp, bulk) for tp, bulk in bulks.items())

    async def send_framed(self, framed: Mapping[SourcePartition, Sequence[Framed]]) -> None:
        """The same of records that are framed already, a batch each of at most the producer's batch size."""
        if self._failure is not None:
            raise self._failure
        await self._together(self._send_framed(tp, batches) for tp, batches in framed.items())

    async def _together(self, sends: Iterable[Coroutine[Any, Any, None]]) -> None:
        """All of them; the first failure is the end of this producer."""
        waiting = list(sends)
        try:
            if len(waiting) == 1:  # as most are: without a task
                await waiting[0]
            else:
                async with asyncio.TaskGroup() as group:
                    for send in waiting:
                        group.create_task(send)
        except* (LeptonError, KafkaError, TimeoutError) as errors:
            self._failure = self._failure or first_of(errors)
            await self._abandon()
        if self._failure is not None:
            raise self._failure

    async def _send_bulk(self, tp: SourcePartition, bulk: Bulk) -> None:
        for part in split(bulk, self._batch_bytes):
            await self._send_batch(tp, Packed(part, self._batch_bytes, self.compression))

    async def _send_framed(self, tp: SourcePartition, batches: Sequence[Framed]) -> None:
        for batch in batches:
            await self._send_batch(tp, Packed(batch, self._batch_bytes, self.compression))

    async def _send_partition(
        self, tp: SourcePartition, numbered: list[tuple[int, Record]], acks: dict[int, Ack], packer: Compressing
    ) -> None:
        done = 0
        while done < len(numbered):
            builder, acknowledged = self._waiting.get(tp) or self._begun(tp, packer)
            first, before = done, builder.record_count()
            while done < len(numbered) and append(builder, numbered[done][1]):
                done += 1
            if first == done:  # it is full, or on its way
                self._waiting.pop(tp, None)
                continue
            ack = await self._outcome(acknowledged)
            for i, (place, _) in enumerate(numbered[first:done]):
                acks[place] = Ack(ack.offset + before + i, ack.timestamp if ack.timestamp_type == 1 else None)

    def _begun(self, tp: SourcePartition, packer: Compressing) -> Waiting:
        """A batch for records that follow at once."""
        builder = Builder(self._batch_bytes, packer)
        sending = asyncio.create_task(self._send_batch(tp, builder), name=f"send {tp.topic}[{tp.partition}]")
        self._sending.add(sending)
        sending.add_done_callback(partial(self._sent, tp))
        begun = self._waiting[tp] = Waiting(builder, sending)
        return begun

    def _sent(self, tp: SourcePartition, sending: asyncio.Task[Any]) -> None:
        """Whoever waited for it may be gone: then nobody asks for its error."""
        self._sending.discard(sending)
        if tp in self._waiting and self._waiting[tp].acknowledged is sending:
            del self._waiting[tp]
        if not sending.cancelled():
            sending.exception()

    async def _outcome(self, acknowledged: asyncio.Task[Any]) -> Any:
        """Of a batch that others may wait for, too: none of them ends it by being cancelled."""
        try:
            return await asyncio.shield(acknowledged)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if acknowledged.cancelled() and task is not None and not task.cancelling():
                raise self._ended() from None
            raise

    async def _send_batch(self, tp: SourcePartition, builder: Builder) -> Any:
        """Send and await the acknowledgement: the next batch of this partition must not leave before it."""
        producer = self._producer
        if producer is None:  # closed, or ended by what another task has sent
            raise self._ended()
        try:
            async with asyncio.timeout(self.timeout):
                ack = await (await producer.send_batch(builder, tp.topic, partition=tp.partition))
        except asyncio.CancelledError:
            leave_alone(producer)
            raise
        except (ProducerFenced, InvalidProducerEpoch):
            raise Fenced(f"{tp.topic} partition {tp.partition}: a newer owner writes there now") from None
        except AssertionError:
            raise SendFailed(f"{tp.topic} has no partition {tp.partition}; {remedy(3)}") from None
        except (KafkaError, TimeoutError) as error:
            leave_alone(producer)
            what = f"{type(error).__name__.removesuffix('Error')} {error}".rstrip()
            raise SendFailed(
                f"{tp.topic} partition {tp.partition}: {builder.record_count()} records not acknowledged ({what}). "
                "Nothing was sent after them; the worker starts again from its last commit; "
                f"{remedy(getattr(error, 'errno', None))}"
            ) from error
        self.note_sent(tp.topic, builder.sent_bytes)
        return ack

    def _ended(self) -> LeptonError:
        """Why nothing more leaves."""
        return self._failure or SendFailed("the producer was closed")

    async def _abandon(self) -> None:
        """Close without flushing: what waits in memory must not be written after a failure."""
        producer, self._producer = self._producer, None
        for sending in self._sending:
            sending.cancel()
        self._waiting.clear()
        if producer is None:
            return
        producer._closed = True
        await producer._sender.close()
        await producer.client.close()


def _nobody(_topic: str, _size: int) -> None:
    """Nobody asks how much is sent."""


def leave_alone(producer: Any) -> None:
    """Whatever becomes of the batches under way, nobody waits for them any more: asyncio need not tell of errors."""
    waiting = producer._message_accumulator
    for batch in (*waiting._pending_batches, *(b for queued in waiting._batches.values() for b in queued)):
        batch.future.add_done_callback(lambda future: future.cancelled() or future.exception())


def append(builder: Builder, record: Record) -> bool:
    """Add the record; False if the batch is full."""
    headers = list(record.headers)
    added = builder.append(timestamp=record.timestamp_ms, key=record.key, value=record.value, headers=headers)
    return added is not None


def first_of(errors: BaseExceptionGroup[Any]) -> LeptonError:
    """The one error to tell of a group: being fenced before a mere failure."""
    found = [e for e in errors.exceptions if isinstance(e, LeptonError)]
    fenced = [e for e in found if isinstance(e, Fenced)]
    return (fenced or found or [SendFailed(str(errors.exceptions[0]))])[0]
