"""A worker in a process of its own: commits every chunk it reads and says so, one line each on stdout.

python -m tests.kafka.worker_kafka BOOTSTRAP GROUP TOPIC INSTANCE|- SESSION_SECONDS
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Mapping

from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import LeptonError
from lepton_stream.runtime.kafka.app import Timing, make_app, serve
from lepton_stream.runtime.kafka.committer import Committer
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.errors import ProcessFenced, StaleOwner
from lepton_stream.runtime.kafka.fetch import Fetched
from lepton_stream.runtime.kafka.group import Group
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.wire import Wire


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


class Worker:
    """Reads from the committed offsets on, one task a partition."""

    def __init__(self, wire: Wire, group: str, topic: str, instance: str | None, session: float) -> None:
        self.group = Group(wire, group)
        timing = Timing(session=session, heartbeat=session / 10, rebalance=max(session, 6), request=20)
        self.app = make_app(wire.connection, group, self, instance=instance, timing=timing, fetch_bytes=16_384)
        self.committer = Committer(wire, group, self.app.fail)
        self.inboxes: dict[SourcePartition, asyncio.Queue[Fetched]] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.app.agent(self.app.chunk_topic(topic), name="read")(self.read)

    async def assigned(
        self, partitions: frozenset[SourcePartition], identity: Identity
    ) -> Mapping[SourcePartition, int]:
        committed = await self.group.committed(partitions)
        say("assigned", identity.generation, *sorted(tp.partition for tp in partitions))
        return {tp: c.offset if c else 0 for tp, c in committed.items()}

    async def revoked(self, partitions: frozenset[SourcePartition], identity: Identity) -> None:
        say("revoked", identity.generation)

    async def read(self, stream: object) -> None:
        async for fetched in self.app.partitions.read(stream):
            tp = fetched.chunk.source
            if tp not in self.inboxes:
                self.inboxes[tp] = asyncio.Queue()
                self.tasks.append(asyncio.create_task(self.commit(tp)))
            self.inboxes[tp].put_nowait(fetched)

    async def commit(self, tp: SourcePartition) -> None:
        while True:
            fetched = await self.inboxes[tp].get()
            chunk = fetched.chunk
            interval = (tp.partition, chunk.start, chunk.end, len(chunk))
            say("try", *interval)
            try:
                await self.committer.commit(tp, chunk.end, f"from {chunk.start}", fetched.identity)
            except ProcessFenced:
                say("fenced", *interval)
                return
            except StaleOwner:
                say("stale", *interval)
            else:
                say("ok", *interval)


async def main() -> None:
    bootstrap, group, topic, instance, session = sys.argv[1:]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Wire(Connection(bootstrap)) as wire:
        worker = Worker(wire, group, topic, None if instance == "-" else instance, float(session))
        await serve(worker.app, stop)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    try:
        asyncio.run(main())
    except LeptonError as error:
        say("ended", type(error).__name__, error)
        sys.exit(error.exit_code)
