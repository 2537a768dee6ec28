"""The consumer's thread: fetched runs of records become chunks there, and heartbeats go on beside the main loop."""

# ruff: noqa: SLF001  (what lies inside aiokafka and Faust is pinned by tests/kafka/test_contract.py)

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import aiokafka.errors
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult
from faust.transport.drivers import aiokafka as driver

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.errors import BrokerError, IntegrityError, LeptonError
from lepton_stream.runtime.kafka import raw
from lepton_stream.runtime.kafka.assignor import offer
from lepton_stream.runtime.kafka.errors import StaleOwner
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.membership import watch
from lepton_stream.runtime.kafka.patience import be_patient
from lepton_stream.runtime.kafka.said import raised

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Fetched:
    """A chunk, the identity it was fetched under, and how far the log could be read at that time.

    `epoch` counts the explicit starts of its partition. `log_end` is the offset behind the last readable record: with
    open transactions and read_committed, the first of them.
    """

    chunk: Chunk
    identity: Identity
    epoch: int
    log_end: int


def typed(error: BaseException) -> BaseException:
    """An error of the consumer as one that a person can act upon; others stay as they are."""
    match error:
        case LeptonError():
            return error
        case aiokafka.errors.OffsetOutOfRangeError():
            ((tp, offset),) = error.args[0].items()
            return IntegrityError(
                f"{tp.topic} partition {tp.partition}: offset {offset} is not in the log. Retention has deleted it, or "
                "the topic was made anew. Going on elsewhere would lose or repeat records: give the topic a longer "
                "retention and run a new version of the pipeline, or reset the pipeline"
            )
        case aiokafka.errors.ConsumerStoppedError():
            return error
        case aiokafka.errors.KafkaError():
            return BrokerError(f"reading from the broker failed: {raised(error)}")
    return error


def readable_end(state: Any, isolation: int) -> int:
    """Offset up to which a partition could be read when it was last fetched; 0 if the broker did not say."""
    end = state.lso if isolation == READ_COMMITTED and state.lso is not None else state.highwater
    return max(end or 0, 0)


def is_still(coordinator: Any, identity: Identity) -> bool:
    """Whether the group has not moved on, as far as the coordinator knows."""
    known: bool = (coordinator.generation, coordinator.member_id) == identity[:2]
    return known


class Listener(driver.ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes who we are at the moment of an assignment, in the thread where it changes."""

    def on_partitions_revoked(self, revoked: Iterable[Any]) -> Any:
        """From here on nothing is handed out."""
        self._thread.disown()
        return super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """The identity of everything fetched until the next revoke."""
        coordinator = self._thread._ensure_consumer()._coordinator
        instance = coordinator._group_instance_id
        self._thread.identity = Identity(coordinator.generation, coordinator.member_id, instance)
        await super().on_partitions_assigned(assigned)


class ChunkThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer thread with our own reading; it never commits."""

    identity: Identity | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._epochs: dict[SourcePartition, int] = {}
        self._held: dict[SourcePartition, set[str]] = {}
        self._starts = 0

    def _create_worker_consumer(self, transport: Any) -> Any:
        # The consumer is Faust's with a few settings that Faust does not offer, put in before it starts.
        consumer = super()._create_worker_consumer(transport)
        for name, value in self.app.consumer_settings.items():
            setattr(consumer, name, value)
        return consumer

    async def on_start(self) -> None:
        """Start the consumer and watch its membership."""
        await super().on_start()
        watch(self._consumer._coordinator, self.app.fail_from_thread)
        if self.app.assignor_by_load is not None:
            offer(self._consumer._coordinator, self.app.assignor_by_load)
        be_patient(self._consumer._fetcher, self.app.quiet_wait_ms, self.app.pointing, self.app.waits)

    async def on_thread_stop(self) -> None:
        """Stop the consumer; its fetches first, as aiokafka falls over one that waits to be tried again."""
        fetcher = getattr(self._consumer, "_fetcher", None)
        if fetcher is not None:
            ending = [fetcher._fetch_task, *fetcher._pending_tasks]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)
            fetcher._pending_tasks.clear()
        await super().on_thread_stop()

    def close(self) -> None:
        """Nothing: stopping the thread closes the consumer.

        Faust calls this when the group assigns partitions to a worker that is stopping, and closes the coordinator in
        the main loop, where it fails: the group is never left then, and waits for a whole session.
        """

    def disown(self) -> None:
        """Forget the identity and all starts: what was fetched is dropped."""
        self.identity = None
        self._epochs.clear()

    async def in_thread(self, work: Coroutine[Any, Any, T]) -> T:
        """Run in this thread's loop, from the main one; not through Faust's queue, where it would wait for a fetch.

        Raises StaleOwner once the thread has ended.
        """
        try:
            future = asyncio.run_coroutine_threadsafe(work, self.thread_loop)
        except RuntimeError:  # the thread has ended, and with it everything that was owned
            work.close()
            raise StaleOwner("the consumer has stopped") from None
        return await asyncio.wrap_future(future)

    async def start_partition(self, tp: SourcePartition, offset: int, identity: Identity) -> int:
        """Seek, and hand out chunks from there on; the start's epoch. Raises StaleOwner if the group has moved on."""
        return await self.in_thread(self._start_partition(tp, offset, identity))

    async def _start_partition(self, tp: SourcePartition, offset: int, identity: Identity) -> int:
        if identity != self.identity:
            raise StaleOwner(f"{tp.topic} partition {tp.partition}: the group has moved on")
        self._consumer.seek(driver.ensure_aiokafka_TP(tp), offset)
        self._starts += 1
        self._epochs[tp] = self._starts
        self._wake()
        return self._starts

    def hold(self, tp: SourcePartition, reason: str) -> None:
        """Hand out nothing of this partition until every reason is gone. One fetched run of it stays in memory."""
        self._held.setdefault(tp, set()).add(reason)

    def release(self, tp: SourcePartition, reason: str) -> None:
        """Take a reason back."""
        reasons = self._held.get(tp, set())
        reasons.discard(reason)
        if not reasons:
            self._held.pop(tp, None)
            with contextlib.suppress(RuntimeError):  # the thread has ended
                self.thread_loop.call_soon_threadsafe(self._wake)

    def join_again(self, identity: Identity) -> None:
        """Ask the group for an assignment, if we still take ourselves for this member of it."""
        with contextlib.suppress(RuntimeError):  # the thread has ended
            self.thread_loop.call_soon_threadsafe(self._join_again, identity)

    def _join_again(self, identity: Identity) -> None:
        coordinator = self._consumer._coordinator
        if identity == self.identity and is_still(coordinator, identity):
            coordinator.request_rejoin()

    def fetch_at_most(self, size: int) -> None:
        """Compressed bytes of one partition in one fetch, from the next one on."""
        self._consumer._fetcher._max_partition_fetch_bytes = size

    def _wake(self) -> None:
        fetcher = self._consumer._fetcher
        for waiter in list(fetcher._fetch_waiters):
            fetcher._notify(waiter)

    async def fetch(self, timeout: float) -> list[Fetched]:
        """Chunks that have arrived, at least one if any comes within the time. Raises typed errors."""
        fetched: list[Fetched] = await self.call_thread(self._fetch, timeout)
        return fetched

    async def _fetch(self, timeout: float) -> list[Fetched]:
        consumer, loop = self._ensure_consumer(), asyncio.get_running_loop()
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise aiokafka.errors.ConsumerStoppedError
        subscriptions, deadline = fetcher._subscriptions, loop.time() + timeout
        with subscriptions.fetch_context():
            while self.consumer.flow_active and not fetcher._closed:
                if subscriptions.reassignment_in_progress:
                    await subscriptions.wait_for_assignment()
                fetched = await self._drain(fetcher, consumer._coordinator)
                left = deadline - loop.time()
                if fetched or left <= 0:
                    return fetched
                waiter = fetcher._create_fetch_waiter()
                done, _ = await asyncio.wait([waiter], timeout=left)
                if not done:
                    waiter.cancel()
                    break
                waiter.result()  # errors of the coordinator
        return []

    async def _drain(self, fetcher: Any, coordinator: Any) -> list[Fetched]:
        """One chunk of each partition that is started and not held."""
        fetched = []
        for tp in list(fetcher._records):
            if await self._trimmed_behind_us(fetcher, coordinator, tp):
                continue
            if (one := self._take(fetcher, coordinator, tp)) is not None:
                fetched.append(one)
                await asyncio.sleep(0)  # a chunk takes some 30 ms, and heartbeats are due
        return fetched

    async def _trimmed_behind_us(self, fetcher: Any, coordinator: Any, tp: Any) -> bool:
        """Whether an offset is gone as another owner of the partition has trimmed the log; then it is let go.

        Who was cut off from the group hears of it by a heartbeat, and its fetch may be answered before the next one.
        """
        error = getattr(fetcher._records.get(tp), "_error", None)
        if self.identity is None or not isinstance(error, aiokafka.errors.OffsetOutOfRangeError):
            return False
        if await coordinator._do_heartbeat() and not coordinator._rejoin_needed_fut.done():
            return False
        fetcher._records.pop(tp, None)
        return True

    def _take(self, fetcher: Any, coordinator: Any, tp: Any) -> Fetched | None:
        identity, epoch, result = self.identity, self._epochs.get(tp), fetcher._records.get(tp)
        # Thrown out of the group, but not yet told to revoke: what arrives now belongs to somebody else.
        if identity is None or not is_still(coordinator, identity):
            return None
        if epoch is None or result is None or tp in self._held:
            return None
        if type(result) is not FetchResult:
            result.check_raise()
        chunk, more = raw.take(result, self.app.bounds, pointing=tp.topic in self.app.pointing)
        if not more:
            del fetcher._records[tp]
            fetcher._notify(fetcher._wait_consume_future)
        if chunk is None:
            return None
        end = readable_end(result._assignment.state_value(tp), fetcher._isolation_level)
        return Fetched(chunk, identity, epoch, max(end, chunk.end))

    async def commit(self, offsets: Any) -> bool:
        """Refused: positions are committed by our committer only."""
        raise AssertionError("Faust tried to commit")

    _commit = commit
