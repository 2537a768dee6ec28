"""One worker of a pipeline on Kafka: what it does when partitions come and go, and until when it runs."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lepton_stream import clock
from lepton_stream.account import Account
from lepton_stream.autopilot.decision import Decision
from lepton_stream.autopilot.mode import Mode
from lepton_stream.autopilot.placing import Strategy
from lepton_stream.chunk import SourcePartition
from lepton_stream.memory.budget import DEFAULT, Budget
from lepton_stream.pipeline.names import Names
from lepton_stream.protocol.limits import Limits as MergeLimits
from lepton_stream.protocol.merger import Merger
from lepton_stream.protocol.metadata import era_of
from lepton_stream.protocol.ports import Position
from lepton_stream.protocol.preparer import Preparer
from lepton_stream.protocol.stored import Totals
from lepton_stream.runtime.kafka.app import App, Timing, make_app, serve
from lepton_stream.runtime.kafka.assignor import LoadAssignor
from lepton_stream.runtime.kafka.balancing import Balancer
from lepton_stream.runtime.kafka.errors import Fenced, Refused, StaleOwner
from lepton_stream.runtime.kafka.failpoints import group_hooks, merge_port, source_port
from lepton_stream.runtime.kafka.fetch import Fetched
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.inbox import Inbox
from lepton_stream.runtime.kafka.keeper import Keeper, resident_bytes
from lepton_stream.runtime.kafka.keeping import keep
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.owners import Owner, ShuffleOwner, SourceOwner
from lepton_stream.runtime.kafka.preflight import refuse_made_anew
from lepton_stream.runtime.kafka.recovery import recover_or_wait, refuse_new_partitions
from lepton_stream.runtime.kafka.steering import steer
from lepton_stream.runtime.kafka.telling import Teller, Telling
from lepton_stream.telemetry.catalogue import ASSIGNED, REBALANCES, REFUSED_OWNERS, REVOKED
from lepton_stream.telemetry.cost import Prices
from lepton_stream.telemetry.facts import tell

Positions: TypeAlias = dict[SourcePartition, Position]
Declare: TypeAlias = Callable[[App, Names, Callable[[Fetched], None]], None]


@dataclass(slots=True)
class _Owned:
    """An owner with its task; `began` once it knows where to read from."""

    owner: Owner
    task: asyncio.Task[None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a worker runs.

    `run`: the name of a run that stops when all that is there now is counted; the workers of one run share it.
    `instance`: a static member id. `give_back_s`: seconds that owners have to complete what they have begun when their
    partitions go. `telling`: to whom the worker tells how it is, None: nobody. `memory`: what it may hold. `autopilot`:
    what it may do; `prices`: what CPU time and bytes cost here. `placement`: of partitions over the group's workers.
    `called`: what people call this worker.
    """

    run: str | None = None
    instance: str | None = None
    timing: Timing = field(default_factory=Timing)
    fetch_bytes: int = 1 << 20
    give_back_s: float = 8.0
    telling: Telling | None = None
    memory: Budget = DEFAULT
    placement: Strategy = "equal"
    called: str = "worker"
    autopilot: Mode = "off"
    prices: Prices = field(default_factory=Prices)


class Worker:
    """Gives each assigned partition an owner, and takes it back (the transport's `Hooks`)."""

    def __init__(self, outside: Outside, settings: Settings, declare: Declare) -> None:
        """`declare` gives the app its agents (`lepton_stream.agents.declare`)."""
        self.outside, self._settings = outside, settings
        self._owned: dict[SourcePartition, _Owned] = {}
        self._looking: asyncio.Task[Positions] | None = None
        outside.own_windows_open = lambda: self.open_cells() > 0
        self.stop = asyncio.Event()
        self.keeper = Keeper(settings.memory, outside.job.plan, outside.meter, resident_bytes)
        by_load = settings.placement == "load"
        self.balancer = Balancer(LoadAssignor(settings.called, self._decided) if by_load else None)
        self._teller = Teller(outside, settings.telling, self.keeper, self.balancer) if settings.telling else None
        self.app: App = make_app(
            outside.connection,
            outside.names.group,
            group_hooks(self, os.environ),
            instance=settings.instance,
            timing=settings.timing,
            fetch_bytes=settings.fetch_bytes,
            pointing=[outside.names.source],
            assignor=self.balancer.assignor,
            waits=lambda: outside.closes.waits(outside.setting.flush_s),
        )
        declare(self.app, outside.names, self.hand_over)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set, the end is reached, or an error ends it. Raises typed errors."""
        self.stop = stop
        await self.outside.view.begin_run()
        left, autopilot, prices = asyncio.Event(), self._settings.autopilot, self._settings.prices
        tasks = [
            asyncio.create_task(self._watch(), name="watch"),
            asyncio.create_task(self._leave(left), name="leave"),
            asyncio.create_task(self._or_fail(keep(self.keeper, self._owners, self.app.partitions)), name="memory"),
            asyncio.create_task(self._or_fail(self._balance()), name="balance"),
            asyncio.create_task(self._or_fail(steer(self.outside, autopilot, prices)), name="autopilot"),
        ]
        if self._teller is not None:
            tasks.append(asyncio.create_task(self._or_fail(self._teller.run(self._owners)), name="tell"))
        try:
            await serve(self.app, left)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._end_all()
            if self._teller is not None:
                self._teller.tell(self._owners())  # the last word, after the last checkpoint

    async def _or_fail(self, work: Awaitable[None]) -> None:
        """An error of it ends the worker."""
        try:
            await work
        except Exception as error:
            self.app.fail(error)

    async def _balance(self) -> None:
        """Measure with every look at the group, and ask it for another placement where that may help."""
        while True:
            await self.outside.view.next_look()
            identity = self.app.partitions.identity
            if self.balancer.look(self.outside.view.seen, self._owned.keys()) and identity is not None:
                self.app.partitions.join_again(identity)

    def _decided(self, decision: Decision) -> None:
        """As the group's leader; in the consumer's thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it the worker
            self.app.loop.call_soon_threadsafe(self.outside.deciding.tell, decision)

    def _owners(self) -> dict[SourcePartition, Owner]:
        return {tp: owned.owner for tp, owned in self._owned.items()}

    async def _leave(self, left: asyncio.Event) -> None:
        """When asked to stop: first every owner completes what it has begun, then the group is left."""
        await self.stop.wait()
        await self._give_back(list(self._owned.values()))
        left.set()

    async def _give_back(self, owned: list[_Owned]) -> None:
        if self._looking is not None:
            self._looking.cancel()  # nobody has begun then, and what it does can be done again
        for one in owned:
            await one.owner.give_back()
        if owned:
            await asyncio.wait([one.task for one in owned], timeout=self._settings.give_back_s)

    async def _watch(self) -> None:
        ending = asyncio.create_task(self._leave_at_end()) if self._settings.run is not None else None
        try:
            await self.outside.watch()
        except Exception as error:
            self.app.fail(error)
        finally:
            if ending is not None:
                ending.cancel()

    async def _leave_at_end(self) -> None:
        while not self._ended():
            await self.outside.view.next_look()
        self.stop.set()

    def _ended(self) -> bool:
        """By the group's commits; a broker that keeps no metadata has one worker, which knows by itself."""
        if self.outside.keeps_metadata:
            return self.outside.view.ended
        mergers = self._mergers()
        return len(mergers) == len(self.outside.view.shuffle) and all(m.pointer.ended for m in mergers)

    def _mergers(self) -> list[Merger]:
        return [o.owner.merger for o in self._owned.values() if isinstance(o.owner, ShuffleOwner)]

    def totals(self) -> Totals:
        """What our own partitions counted in all."""
        totals = Totals()
        for merger in self._mergers():
            totals.results += merger.state.published
            totals.events += merger.state.events.total()
            for s, account in merger.account.items():
                totals.accounts.setdefault(s, Account()).add(account)
        return totals

    @property
    def owns(self) -> int:
        """Partitions that the group has given to this worker."""
        return len(self._owned)

    def open_cells(self) -> int:
        """Cells of our own partitions that wait for their window to close, and rows that wait to be scored."""
        states = [merger.state for merger in self._mergers()]
        cells = sum(table.open_cells() for state in states for table in state.tables)
        return cells + sum(model.waiting.count for state in states for model in state.models)

    def hand_over(self, fetched: Fetched) -> None:
        """A chunk for the partition's owner; agents call this and await nothing."""
        if self.outside.first_chunk_s is None:
            self.outside.first_chunk_s, self.outside.first_chunk_cpu_s = clock.elapsed_s(), clock.cpu_s()
        owned = self._owned.get(fetched.chunk.source)
        if owned is not None:
            owned.owner.inbox.put(fetched)

    async def assigned(
        self, partitions: frozenset[SourcePartition], identity: Identity
    ) -> Mapping[SourcePartition, int]:
        """A task for each; every one starts its partition when it knows from where.

        A partition that comes back, and that nobody has moved on meanwhile, keeps its memory and state.
        """
        await self._end_all()
        self.outside.closes.clear()
        gc.collect()  # owners and clients of before know each other, and the collector is told to leave such alone
        shares = self.keeper.share(len(partitions))
        self.app.partitions.read_at_most(shares.fetch_bytes, shares.chunk_bytes)
        self._looking = asyncio.create_task(self._look(partitions, identity), name="look")
        rested, self._owned = self._owned, {}
        for tp in sorted(partitions):
            owner = self._owner(tp, identity)
            task = asyncio.create_task(
                self._own(owner, tp, self._looking, identity, rested.get(tp)), name=f"{tp.topic}[{tp.partition}]"
            )
            self._owned[tp] = _Owned(owner, task)
        self.balancer.assigned()
        self._joined(joined=True)
        self.outside.meter.add(REBALANCES, 1)
        tell(ASSIGNED, partitions=[f"{t}[{p}]" for t, p in sorted(partitions)], generation=identity.generation)
        return {}

    def _joined(self, *, joined: bool) -> None:
        if self._teller is not None:
            self._teller.joined = joined

    async def _look(self, partitions: frozenset[SourcePartition], identity: Identity) -> Positions:
        """Where the partitions stand, and in which run we are, once the group has all of its commits."""
        refuse_new_partitions(self.outside, partitions)
        await recover_or_wait(self.outside, partitions, identity)
        seen = await self.outside.view.look()
        self.outside.view.era = era_of(map(seen.claim, self.outside.view.sources), self._settings.run or "")
        positions = await self.outside.positions(partitions)
        await refuse_made_anew(self.outside, positions)
        return positions

    async def revoked(self, partitions: frozenset[SourcePartition], identity: Identity) -> None:
        """Every owner finishes its step and commits it, so that nobody has to do it again."""
        self._joined(joined=False)
        tell(REVOKED, partitions=[f"{t}[{p}]" for t, p in sorted(partitions)])
        await self._give_back([owned for tp, owned in self._owned.items() if tp in partitions])

    async def _end_all(self) -> None:
        ended: list[asyncio.Task[Any]] = [owned.task for owned in self._owned.values()]
        if self._looking is not None:
            ended.append(self._looking)
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    def _owner(self, tp: SourcePartition, identity: Identity) -> Owner:
        out = self.outside
        shares = self.keeper.shares
        inbox = Inbox(tp, self.app.partitions, min(out.limits.inbox_bytes, shares.inbox_bytes))
        if tp.topic == out.names.source:
            port = source_port(out, tp, identity, os.environ)
            return SourceOwner(Preparer(out.job, tp, port), out, inbox, port, self.keeper, run=self._settings.run)
        limits = MergeLimits(closed_at_once=shares.closed_at_once)
        to_merge = merge_port(out, tp, identity, os.environ)
        merger = Merger(out.job, tp, to_merge, len(out.view.sources), secrets.token_hex(8), limits)
        return ShuffleOwner(merger, out, inbox, to_merge, self.keeper)

    async def _own(
        self,
        owner: Owner,
        tp: SourcePartition,
        looking: asyncio.Task[Positions],
        identity: Identity,
        rested: _Owned | None,
    ) -> None:
        try:
            at = (await asyncio.shield(looking))[tp]
            if self.outside.keeps_metadata and isinstance(owner, SourceOwner):
                await self.outside.view.pointed()  # so that frames without a commit mean one that was lost
            start = await owner.begin(at, rested.owner if rested else None)
            rested = None
            await self.app.partitions.start(tp, start, identity)
            await self.balancer.carried(tp, owner)
        except Refused as refused:
            self.outside.meter.add(REFUSED_OWNERS, 1)
            if not isinstance(refused, Fenced):  # else nobody would own it, should the group know of no change
                self.app.partitions.join_again(identity)
        except (StaleOwner, asyncio.CancelledError):
            pass  # the partition is somebody else's now: everything of this owner is dropped
        except MemoryError:  # a limit of the process came before ours
            self.app.fail(self.keeper.stopping())
        except Exception as error:
            self.app.fail(error)
        finally:
            await owner.release()
