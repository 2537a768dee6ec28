"""The chunk transport for Faust: one fetched run of records of one partition is one event; Faust commits nothing."""

# ruff: noqa: SLF001  (what lies inside aiokafka and Faust is pinned by tests/kafka/test_contract.py)

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode.utils.queues import FlowControlEvent

from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import LeptonError
from lepton_stream.runtime.kafka.begun import begun
from lepton_stream.runtime.kafka.errors import StaleOwner
from lepton_stream.runtime.kafka.fetch import ChunkThread, Fetched, Listener, typed
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.ledger import Ledger

POLL_SECONDS = 1.0
BUFFER = "buffer"
ASKED = "asked"


class Hooks(Protocol):
    """What a worker does when partitions come and go."""

    async def assigned(
        self, partitions: frozenset[SourcePartition], identity: Identity
    ) -> Mapping[SourcePartition, int]:
        """Where to start reading each partition; those left out are started later with `Partitions.start`.

        Runs while the group goes on, and is cancelled when the partitions are taken away meanwhile. An exception ends
        the worker.
        """
        ...

    async def revoked(self, partitions: frozenset[SourcePartition], identity: Identity) -> None:
        """Finish what must be finished; no chunk of this identity follows. The group waits for it, within limits."""
        ...


class Flow(FlowControlEvent):  # type: ignore[misc]
    """Flow control that drops nothing when it resumes: Faust's own clears the queues of what came meanwhile."""

    def resume(self) -> None:
        """Let events through again."""
        self._suspend.clear()
        self._resume.set()


class ChunkConsumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer, reduced to handing chunks to agents in order. All its topics are read as chunks."""

    RebalanceListener = Listener

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.ledger = Ledger()
        self._begin: asyncio.Task[None] | None = None
        self._owner: Identity | None = None
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ChunkThread:
        return ChunkThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def identity(self) -> Identity | None:
        """Who we are now, None between a revoke and the next assignment."""
        return self._thread.identity

    # -- partitions come and go

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Let Faust set up its channels, then ask the worker where to start."""
        await super().on_partitions_assigned(assigned, generation_id)
        identity = self._owner = self.identity
        if identity is not None and not self.should_stop:
            partitions = frozenset(SourcePartition(*tp) for tp in assigned)
            self._begin = asyncio.create_task(self._begin_partitions(partitions, identity))

    async def _begin_partitions(self, partitions: frozenset[SourcePartition], identity: Identity) -> None:
        try:
            for tp, offset in (await self.app.hooks.assigned(partitions, identity)).items():
                await self.start_partition(tp, offset, identity)
        except StaleOwner:
            pass  # the next assignment tells
        except Exception as error:
            self.app.fail(typed(error))

    async def start_partition(self, tp: SourcePartition, offset: int, identity: Identity) -> None:
        """Read the partition from this offset on. Raises StaleOwner."""
        epoch = await self._thread.start_partition(tp, offset, identity)
        self.ledger.begin(tp, epoch, offset)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Stop the flow, clear the queues, let the worker finish, then let Faust tear down. Nothing is committed."""
        self.ledger.forget()
        self.stop_flow()
        self.app.flow_control.suspend()
        self.app.flow_control.clear()
        await self._stop_begin()
        identity, self._owner = self._owner, None
        if revoked and identity is not None:
            partitions = frozenset(SourcePartition(*tp) for tp in revoked)
            try:
                await asyncio.wait_for(self.app.hooks.revoked(partitions, identity), self.app.revoke_seconds)
            except TimeoutError:
                self.log.warning("finishing revoked partitions took longer than %s s", self.app.revoke_seconds)
            except StaleOwner:
                pass  # they were somebody else's already
            except Exception as error:
                self.app.fail(typed(error))
        await super().on_partitions_revoked(revoked)

    async def _stop_begin(self) -> None:
        task, self._begin = self._begin, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def perform_seek(self) -> None:
        """Nothing: every position is an explicit start."""

    # -- chunks to the agents

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                if not self.flow_active:
                    await self.wait(self.can_resume_flow)
                    continue
                for fetched in await self._thread.fetch(POLL_SECONDS):
                    await self._deliver(fetched)
                await asyncio.sleep(0)
        except (*self.consumer_stopped_errors, asyncio.CancelledError):
            if not self.transport.app.should_stop:
                raise
        except Exception as error:
            told = typed(error)
            self.app.fail(told)
            if not isinstance(told, LeptonError):
                raise  # a defect: with the traceback that Faust gives it; of the others the message is enough

    async def _deliver(self, fetched: Fetched) -> None:
        if fetched.identity == self.identity:
            left = begun(self.callback(self._to_message(TP(*fetched.chunk.source), fetched)))
            if left is not None:
                await self.wait_first(left, self.suspend_flow.wait())

    def _to_message(self, tp: TP, record: Fetched) -> ConsumerMessage:
        return ConsumerMessage(
            *tp, record.chunk.start, 0.0, 0, None, None, record, None, 0, 0, tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    def on_buffer_full(self, tp: TP) -> None:
        """The agent's queue is full: leave this partition where it is."""
        self._thread.hold(SourcePartition(*tp), BUFFER)

    def on_buffer_drop(self, tp: TP) -> None:
        """It has room again."""
        self._thread.release(SourcePartition(*tp), BUFFER)

    # -- Faust's own commits: none, whatever asks for one

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Nothing is committed."""
        return False

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Nothing is committed."""
        return False

    async def _commit(self, offsets: Any) -> bool:
        return False

    def ack(self, message: Any) -> bool:
        """Acknowledging an event means nothing here."""
        message.acked = True
        return True

    async def wait_empty(self) -> None:
        """Nothing is waited for: what is in flight is dropped or finished under its own identity."""

    async def verify_all_partitions_active(self) -> None:
        """Faust's detector of stalled commits: there are none."""


class ChunkTransport(driver.Transport):  # type: ignore[misc]
    """Faust's transport over aiokafka with chunks for events."""

    Consumer = ChunkConsumer


class Partitions:
    """What a worker can do with its partitions: start, pause, resume, read."""

    def __init__(self, app: Any) -> None:
        self._app = app

    @property
    def identity(self) -> Identity | None:
        """Who the worker is to its group now."""
        return self._app.consumer.identity

    async def start(self, tp: SourcePartition, offset: int, identity: Identity) -> None:
        """Read an assigned partition from this offset on; again: from there instead. Raises StaleOwner."""
        await self._app.consumer.start_partition(tp, offset, identity)

    def pause(self, tp: SourcePartition, reason: str = ASKED) -> None:
        """Hand out nothing more of this partition; what the agent's queue holds still comes."""
        self._app.consumer._thread.hold(tp, reason)

    def resume(self, tp: SourcePartition, reason: str = ASKED) -> None:
        """Go on once every reason given to `pause` is taken back."""
        self._app.consumer._thread.release(tp, reason)

    def join_again(self, identity: Identity) -> None:
        """The broker has refused us what its group should have told us first: ask the group, if it has not moved on."""
        self._app.consumer._thread.join_again(identity)

    def read_at_most(self, fetch_bytes: int, chunk_bytes: int) -> None:
        """Of each partition: compressed bytes of a fetch, and raw ones after which a chunk ends; from the next on."""
        self._app.bounds = self._app.bounds._replace(chunk_bytes=chunk_bytes)
        self._app.consumer._thread.fetch_at_most(fetch_bytes)

    async def read(self, stream: Any) -> AsyncIterator[Fetched]:
        """The chunks of an agent's stream: each partition's follow each other without a gap, old ones are left out.

        Raises IntegrityError if one is missing.
        """
        async for event in stream.noack().events():
            fetched: Fetched = event.value
            chunk, consumer = fetched.chunk, self._app.consumer
            if fetched.identity == consumer.identity and consumer.ledger.accept(
                chunk.source, fetched.epoch, chunk.start, chunk.end
            ):
                yield fetched
