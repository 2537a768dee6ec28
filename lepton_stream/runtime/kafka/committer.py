"""The one committer of a worker: many tasks wait, one request at a time goes out, each identity stays what it was."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lepton_stream import clock
from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.errors import MetadataTooLarge, ProcessFenced, Refused, StaleOwner
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.protocol import CommitRequest
from lepton_stream.runtime.kafka.said import said, told
from lepton_stream.runtime.kafka.wire import NOT_READY, Coordinator, Wire

MAX_METADATA = 4096
GATHER_SHARE, GATHER_MOST_S = 0.1, 0.002
"""Of the time that the last request took, for which the next one waits for more commits; at most."""
ILLEGAL_GENERATION, UNKNOWN_MEMBER, REBALANCE, FENCED_INSTANCE, TOO_LARGE = 22, 25, 27, 82, 12
GROUP_MOVED_ON = (ILLEGAL_GENERATION, UNKNOWN_MEMBER, REBALANCE, FENCED_INSTANCE)


@dataclass(slots=True, eq=False)
class Wish:
    """A commit that a task waits for."""

    tp: SourcePartition
    offset: int
    metadata: str
    identity: Identity
    done: asyncio.Future[None]


def verdict(code: int, wish: Wish) -> Exception | None:
    """What an answer's error code means to the task that waits: None is success."""
    if code == 0:
        return None
    where = f"{wish.tp.topic} partition {wish.tp.partition}"
    if code == FENCED_INSTANCE or (code == UNKNOWN_MEMBER and wish.identity.instance is not None):
        return ProcessFenced(
            f"another process runs under the static member id {wish.identity.instance!r} and has taken {where}; "
            "this one ends. Give each worker an id of its own"
        )
    if code in GROUP_MOVED_ON:
        return Refused(f"{where}: commit of offset {wish.offset} refused ({told(code)}): the group has moved on")
    if code == TOO_LARGE:
        size, remedy = len(wish.metadata), "set its offset.metadata.max.bytes to 4096"
        return MetadataTooLarge(f"{where}: the broker keeps less than {size} bytes of commit metadata; {remedy}")
    return BrokerError(f"{where}: offset {wish.offset} was not committed: {said(code)}")


class Committer:
    """Gathers all waiting commits of a group into one OffsetCommit request at a time.

    A request goes out under the identity that its commits were captured with and is repeated, while the coordinator
    moves or cannot be reached, under that identity only. `on_fenced` is called once when another process holds our
    static member id; every later commit raises ProcessFenced.
    """

    def __init__(self, wire: Wire, group: str, on_fenced: Callable[[ProcessFenced], None] = lambda _: None) -> None:
        self._wire, self._group, self._on_fenced = wire, group, on_fenced
        self._waiting: deque[Wish] = deque()
        self._task: asyncio.Task[None] | None = None
        self._fenced: ProcessFenced | None = None
        self._took_s = 0.0
        self.requests = 0
        """Requests sent so far, repeats not counted."""

    async def commit(self, tp: SourcePartition, offset: int, metadata: bytes | str, identity: Identity) -> None:
        """Return once the broker has kept offset and metadata (UTF-8, at most 4096 bytes) for this partition.

        Raises StaleOwner if the group has moved on, ProcessFenced if it is our static id that was taken,
        MetadataTooLarge before anything is sent, and BrokerError if no coordinator could be reached in time.
        """
        await self._wish(tp, offset, metadata.decode() if isinstance(metadata, bytes) else metadata, identity)

    async def commit_together(self, places: Mapping[SourcePartition, tuple[int, str]], identity: Identity) -> None:
        """Commit (offset, metadata) of many partitions in one request, which the group keeps as a whole or not at all.

        For a worker of which nothing else waits to be committed. Raises what `commit` raises.
        """
        wishes = [self._wish(tp, offset, text, identity) for tp, (offset, text) in places.items()]
        await asyncio.gather(*wishes)

    def _wish(self, tp: SourcePartition, offset: int, text: str, identity: Identity) -> asyncio.Future[None]:
        if (size := len(text.encode())) > MAX_METADATA:
            raise MetadataTooLarge(
                f"{tp.topic} partition {tp.partition}: {size} bytes of commit metadata, at most 4096"
            )
        if self._fenced is not None:
            raise self._fenced
        # Generation -1 would be accepted by an empty group, whoever sends it.
        if not identity.is_member:
            raise StaleOwner(f"{tp.topic} partition {tp.partition}: this worker is not a member of {self._group} now")
        wish = Wish(tp, offset, text, identity, asyncio.get_running_loop().create_future())
        self._waiting.append(wish)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="committer")
        return wish.done

    async def close(self) -> None:
        """Stop; what still waits raises StaleOwner."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._settle(list(self._waiting), StaleOwner("the committer is closed"))
        self._waiting.clear()

    def _gather(self) -> list[Wish]:
        """The wishes of one request: one identity, and the oldest of each partition, so that order is kept."""
        identity = self._waiting[0].identity
        chosen: dict[SourcePartition, Wish] = {}
        rest: deque[Wish] = deque()
        for wish in self._waiting:
            if wish.identity == identity and wish.tp not in chosen:
                chosen[wish.tp] = wish
            else:
                rest.append(wish)
        self._waiting = rest
        return list(chosen.values())

    async def _run(self) -> None:
        batch: list[Wish] = []
        try:
            while self._waiting:
                await asyncio.sleep(min(GATHER_SHARE * self._took_s, GATHER_MOST_S))
                batch, began_s = self._gather(), clock.elapsed_s()
                await self._send(batch)
                self._took_s = clock.elapsed_s() - began_s
        except asyncio.CancelledError:
            self._settle(batch, StaleOwner("the committer is closed"))
            raise
        finally:
            if self._task is asyncio.current_task():
                self._task = None

    async def _send(self, batch: list[Wish]) -> None:
        """One request to its end: every wish of the batch is settled."""
        request = CommitRequest(self._group, batch[0].identity, {w.tp: (w.offset, w.metadata) for w in batch})
        self.requests += 1
        try:
            answer = await self._wire.coordinated(Coordinator.GROUP, self._group, request, retry=not_ready)
        except BrokerError as error:
            self._settle(batch, error)
            return
        codes = error_codes(answer)
        for wish in batch:
            # A partition that the answer leaves out was not committed.
            self._settle([wish], verdict(codes.get(wish.tp, -1), wish))

    def _settle(self, wishes: list[Wish], error: Exception | None) -> None:
        if isinstance(error, ProcessFenced) and self._fenced is None:
            self._fenced = error
            self._on_fenced(error)
        for wish in wishes:
            if wish.done.done():  # its task was cancelled
                continue
            if error is None:
                wish.done.set_result(None)
            else:
                wish.done.set_exception(error)


def error_codes(answer: Any) -> dict[SourcePartition, int]:
    """Error code of each partition of an OffsetCommit response."""
    return {SourcePartition(topic, p): code for topic, partitions in answer.topics for p, code in partitions}


def not_ready(answer: Any) -> bool:
    """Whether the coordinator is loading or has moved; then it has looked at no partition."""
    return any(code in NOT_READY for code in error_codes(answer).values())
