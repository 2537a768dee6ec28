"""The records of a topic's partitions as they come, without a group: nothing is committed, nobody is disturbed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError, KafkaError

from lepton_stream import clock
from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.admin import Admin, partitions_of
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.credentials import client_options, diagnose
from lepton_stream.runtime.kafka.logs import Logs
from lepton_stream.runtime.kafka.said import raised
from lepton_stream.runtime.kafka.wire import Wire

LOOK_MILLISECONDS = 100


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lowest offset, and the one behind the last record, of each partition."""

    starts: Mapping[SourcePartition, int]
    ends: Mapping[SourcePartition, int]

    def from_start(self) -> dict[SourcePartition, int]:
        """Everything that is there."""
        return dict(self.starts)

    def from_last(self, n: int) -> dict[SourcePartition, int]:
        """The last n offsets of each partition; 0: only what comes from now on."""
        return {tp: max(self.starts[tp], end - n) for tp, end in self.ends.items()}


async def bounds_of(connection: Connection, topic: str) -> Bounds:
    """Of all partitions. Raises UsageError if there is no such topic, BrokerError."""
    async with Admin(connection) as admin:
        count = await partitions_of(admin, topic)
    async with Wire(connection) as wire:
        partitions = [SourcePartition(topic, p) for p in range(count)]
        logs = Logs(wire)
        return Bounds(await logs.starts(partitions), await logs.ends(partitions))


@dataclass(frozen=True, slots=True)
class Look:
    """What one look brought (aiokafka's records), and whether all that was there at the start has been read."""

    records: Sequence[Any]
    caught_up: bool


class Quiet:
    """Whether nothing came for so long. What was there at the start is read first, however long that takes."""

    def __init__(self, until_s: float | None, ends: Mapping[SourcePartition, int], now_s: float) -> None:
        self._until, self._last = until_s, now_s
        self._open = dict(ends)

    @property
    def caught_up(self) -> bool:
        """Whether all that was there at the start has been read."""
        return not self._open

    def came(self, at: Mapping[SourcePartition, int], records: int, now_s: float) -> bool:
        """After a look: the offsets to go on from, how many records it brought. Whether it is time to leave."""
        self._open = {tp: end for tp, end in self._open.items() if at.get(tp, 0) < end}
        if records or self._open:
            self._last = now_s
        return self._until is not None and now_s - self._last >= self._until


async def follow(
    connection: Connection,
    starts: Mapping[SourcePartition, int],
    quiet: Quiet,
    elapsed_s: Callable[[], float] = clock.elapsed_s,
) -> AsyncGenerator[Look, None]:
    """Looks of a tenth of a second, empty ones too, until quiet.

    Raises BrokerError if the broker cannot be reached, or goes away.
    """
    async with consumer_at(connection, starts) as consumer:
        while True:
            got = await consumer.getmany(timeout_ms=LOOK_MILLISECONDS)
            records = [record for some in got.values() for record in some]
            at = {tp: await consumer.position(tp) for tp in starts}
            leave = quiet.came(at, len(records), elapsed_s())
            yield Look(records, quiet.caught_up)
            if leave:
                return


@asynccontextmanager
async def consumer_at(connection: Connection, starts: Mapping[SourcePartition, int]) -> AsyncIterator[Any]:
    """A consumer without a group at these offsets; its errors become BrokerErrors."""
    consumer = AIOKafkaConsumer(
        auto_offset_reset="earliest", isolation_level="read_committed", **client_options(connection)
    )
    try:
        await consumer.start()
        consumer.assign(list(starts))
        for tp, offset in starts.items():
            consumer.seek(tp, offset)
        yield consumer
    except KafkaConnectionError:
        raise (await diagnose(connection, 10.0)) from None
    except (KafkaError, TimeoutError) as error:
        raise BrokerError(f"reading from broker {connection.bootstrap}: {raised(error)}") from error
    finally:
        await consumer.stop()
