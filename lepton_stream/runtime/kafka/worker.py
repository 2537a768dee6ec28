"""One worker of a pipeline on Kafka: what it does when partitions come and go, and until when it runs."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lepton_stream.chunk import SourcePartition
from lepton_stream.pipeline.names import Names
from lepton_stream.protocol.merger import Merger
from lepton_stream.protocol.ports import Position
from lepton_stream.protocol.preparer import Preparer
from lepton_stream.runtime.kafka.app import App, Timing, make_app, serve
from lepton_stream.runtime.kafka.errors import StaleOwner
from lepton_stream.runtime.kafka.fetch import Fetched
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.owners import Inbox, Owner, ShuffleOwner, SourceOwner
from lepton_stream.runtime.kafka.ports import KafkaMergePort, KafkaSourcePort

Declare: TypeAlias = Callable[[App, Names, Callable[[Fetched], None]], None]


@dataclass(slots=True)
class _Owned:
    """An owner with its task; `began` once it knows where to read from."""

    owner: Owner
    task: asyncio.Task[None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a worker runs. `instance`: a static member id. `until_end`: stop when all that is there now is counted."""

    until_end: bool = False
    instance: str | None = None
    timing: Timing = field(default_factory=Timing)
    fetch_bytes: int = 1 << 20


class Worker:
    """Gives each assigned partition an owner, and takes it back (the transport's `Hooks`)."""

    def __init__(self, outside: Outside, settings: Settings, declare: Declare) -> None:
        """`declare` gives the app its agents (`lepton_stream.agents.declare`)."""
        self.outside, self._settings = outside, settings
        self._owned: dict[SourcePartition, _Owned] = {}
        self.stop = asyncio.Event()
        self.app: App = make_app(
            outside.connection,
            outside.names.group,
            self,
            instance=settings.instance,
            timing=settings.timing,
            fetch_bytes=settings.fetch_bytes,
        )
        declare(self.app, outside.names, self.hand_over)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set, the end is reached, or an error ends it. Raises typed errors."""
        self.stop = stop
        await self.outside.view.look()
        watch = asyncio.create_task(self._watch(), name="watch")
        try:
            await serve(self.app, self.stop)
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            await self._end_all()

    async def _watch(self) -> None:
        ending = asyncio.create_task(self._leave_at_end()) if self._settings.until_end else None
        try:
            await self.outside.watch()
        except Exception as error:
            self.app.fail(error)
        finally:
            if ending is not None:
                ending.cancel()

    async def _leave_at_end(self) -> None:
        while not self.outside.view.ended:
            await self.outside.view.next_look()
        self.stop.set()

    def hand_over(self, fetched: Fetched) -> None:
        """A chunk for the partition's owner; agents call this and await nothing."""
        owned = self._owned.get(fetched.chunk.source)
        if owned is not None:
            owned.owner.inbox.put(fetched)

    async def assigned(
        self, partitions: frozenset[SourcePartition], identity: Identity
    ) -> Mapping[SourcePartition, int]:
        """A task for each; every one starts its partition when it knows from where."""
        await self._end_all()
        positions = await self._positions(partitions)
        for tp in sorted(partitions):
            owner = self._owner(tp, identity)
            task = asyncio.create_task(
                self._own(owner, tp, positions[tp], identity), name=f"{tp.topic}[{tp.partition}]"
            )
            self._owned[tp] = _Owned(owner, task)
        return {}

    async def revoked(self, partitions: frozenset[SourcePartition], identity: Identity) -> None:
        """Every owner finishes its step and commits it, so that nobody has to do it again."""
        gone = [owned for tp, owned in self._owned.items() if tp in partitions]
        for owned in gone:
            await owned.owner.give_back()
        await asyncio.gather(*(owned.task for owned in gone), return_exceptions=True)

    async def _end_all(self) -> None:
        ended, self._owned = list(self._owned.values()), {}
        for owned in ended:
            owned.task.cancel()
        await asyncio.gather(*(owned.task for owned in ended), return_exceptions=True)

    async def _positions(self, partitions: frozenset[SourcePartition]) -> dict[SourcePartition, Position]:
        out = self.outside
        committed, starts, ends = await asyncio.gather(
            out.group.committed(partitions), out.logs.starts(partitions), out.logs.ends(partitions)
        )
        positions = {}
        for tp in partitions:
            found = committed[tp]
            offset, metadata = (found.offset, found.metadata) if found else (None, None)
            positions[tp] = Position(offset, metadata, starts[tp], ends[tp])
        return positions

    def _owner(self, tp: SourcePartition, identity: Identity) -> Owner:
        out = self.outside
        inbox = Inbox(tp, self.app.partitions, out.limits.inbox_bytes)
        if tp.topic == out.names.source:
            port = KafkaSourcePort(out, tp, identity)
            return SourceOwner(Preparer(out.job, tp, port), out, inbox, port, until_end=self._settings.until_end)
        merge_port = KafkaMergePort(out, tp, identity)
        merger = Merger(out.job, tp, merge_port, len(out.view.sources), secrets.token_hex(8))
        return ShuffleOwner(merger, out, inbox, merge_port)

    async def _own(self, owner: Owner, tp: SourcePartition, at: Position, identity: Identity) -> None:
        try:
            start = await owner.begin(at)
            await self.app.partitions.start(tp, start, identity)
            await owner.run()
        except (StaleOwner, asyncio.CancelledError):
            pass  # the partition is somebody else's now: everything of this owner is dropped
        except Exception as error:
            self.app.fail(error)
        finally:
            await owner.release()

    @property
    def owners(self) -> dict[SourcePartition, Any]:
        """The owners at work, by partition."""
        return {tp: owned.owner for tp, owned in self._owned.items()}
