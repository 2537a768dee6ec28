"""Everything outside of the owners: logs, the group's commits, producer epochs, and a network that takes its time."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

import numpy as np

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.errors import IntegrityError
from lepton_stream.protocol.metadata import claim_of
from lepton_stream.protocol.ports import Position, Record
from tests.protocol.records import Log

What = tuple[Literal["s", "p"], int]
"""A source partition or a shuffle partition."""

TIMESTAMP = 10**15  # microseconds: no event time lies ahead of it


class Refused(Exception):  # noqa: N818 - it is the broker's answer, not a fault
    """A stale member's commit, or a fenced producer's record."""


class Violation(Exception):  # noqa: N818
    """The promise is broken."""


@dataclass(frozen=True)
class Identity:
    """As captured when an owner begins."""

    generation: int
    member: str


@dataclass(eq=False)
class Life:
    """One incarnation of an owner. `dead`: its process is gone, though what it sent may still be on its way."""

    what: What
    who: Identity
    worker: int
    dead: bool = False


@dataclass(eq=False)
class Flight:
    """A request on its way: it takes effect piece by piece, at moments that the network chooses. Await its answer."""

    life: Life
    effects: list[Callable[[], Any]]
    answers: list[Any] = field(default_factory=list)
    error: Exception | None = None

    @property
    def done(self) -> bool:
        return self.error is not None or not self.effects

    def move(self, pieces: int) -> None:
        """Some of the pieces arrive, in order; the first that is refused is the last."""
        try:
            while self.effects and pieces:
                self.answers.append(self.effects.pop(0)())
                pieces -= 1
        except Refused as refused:
            self.error = refused

    def __await__(self) -> Generator[Flight | None, None, list[Any]]:
        yield None  # whoever asks may be gone before the request leaves
        yield self
        if self.error is not None:
            raise self.error
        return self.answers


@dataclass(eq=False)
class Flaws:
    """Planted defects of the outside."""

    generation_only: bool = False
    restamped_retry: bool = False
    faust_commit: bool = False
    last_record_wins: bool = False


class World:
    """The broker. Positions are offsets; `start` of a log is moved up by trimming."""

    def __init__(self, rng: Random, logs: list[Log], partitions: int, flaws: Flaws) -> None:
        self.rng, self.logs, self.partitions, self.flaws = rng, logs, partitions, flaws
        self.visible = [rng.randint(0, len(log)) for log in logs]
        self.source_start, self.reads_from = [0] * len(logs), dict[Life, int]()
        self.generation, self.members = 0, set[str]()
        self.commits: dict[What, tuple[int, str]] = {}
        self.ends: dict[int, set[int | None]] = defaultdict(set)
        self.shuffle: list[list[bytes]] = [[] for _ in range(partitions)]
        self.state: list[list[bytes]] = [[] for _ in range(partitions)]
        self.shuffle_start, self.state_start = [0] * partitions, [0] * partitions
        self.epochs, self.written = [0] * partitions, [0] * partitions
        self.latest: list[dict[bytes, dict[str, Any]]] = [{} for _ in range(partitions)]
        self.said: dict[tuple[int, bytes, int], bytes] = {}
        self.events: dict[tuple[str, int, int], tuple[int, bytes]] = {}
        self.dead: dict[tuple[int, int], str] = {}
        self.late: set[tuple[int, int]] = set()
        self.flights: list[Flight] = []
        self.met = Counter[str]()
        """What happened, so that a test can say that it does."""

    def current(self, who: Identity) -> bool:
        """Does the group know this member in this generation?"""
        known = self.flaws.generation_only or who.member in self.members
        return known and who.generation == self.generation

    def commit(self, who: Identity, what: What, offset: int, metadata: str) -> None:
        """Judged when it arrives."""
        retried = self.flaws.restamped_retry and self.rng.random() < 0.5
        if not self.current(who) and not retried:
            self.met["stale commit refused"] += 1
            raise Refused(f"{what} by {who}")
        self.commits[what] = (offset, metadata)
        if what[0] == "s":
            self.ends[what[1]].add(claim_of(metadata, "model").end)
        if self.flaws.faust_commit and self.rng.random() < 0.05:
            self.commits[what] = (offset, "")

    def position(self, what: What) -> Position:
        """What a new owner is told."""
        offset, metadata = self.commits.get(what, (None, None))
        kind, i = what
        if kind == "s":
            return Position(offset, metadata, self.source_start[i], self.visible[i])
        return Position(offset, metadata, self.shuffle_start[i], len(self.shuffle[i]))

    def chunk(self, s: int, start: int, end: int) -> Chunk:
        """Records [start, end) of a source log. Raises IntegrityError where retention has deleted them."""
        if start < self.source_start[s]:
            raise IntegrityError(f"s{s}: offset {start} is out of range, the log begins at {self.source_start[s]}")
        offsets = [o for o in range(start, end) if not self.logs[s][o].marker]
        values = Values.from_list([self.logs[s][o].value for o in offsets])
        timestamp = np.full(len(offsets), TIMESTAMP, np.int64)
        return Chunk(SourcePartition("events", s), start, end, np.array(offsets, np.int64), values, timestamp)

    def retain(self, s: int, memory: int) -> None:
        """Retention deletes what nobody needs any more."""
        readers = [at for life, at in self.reads_from.items() if life.what == ("s", s) and not life.dead]
        needed = min([self.commits.get(("s", s), (0, ""))[0] - memory, *readers])
        self.met["source trimmed"] += needed > self.source_start[s]
        self.source_start[s] = max(self.source_start[s], needed)

    def lose(self, s: int) -> None:
        """Retention passes the group's position, if it has one and there is more."""
        done = self.commits.get(("s", s), (0, ""))[0]
        if 0 < done < self.visible[s]:
            self.source_start[s] = self.rng.randint(done + 1, self.visible[s])

    def take_epoch(self, p: int) -> int:
        """InitProducerId."""
        self.epochs[p] += 1
        return self.epochs[p]

    def publish(self, p: int, epoch: int, record: Record) -> None:
        """A result, or a fence (no value). Readers keep the last record of each key. Events need no fence."""
        if record.event:
            self._tell(p, record.value or b"")
            return
        if epoch < self.written[p] and not self.flaws.last_record_wins:
            self.met["late result refused"] += 1
            raise Refused(f"results of p{p} with epoch {epoch}")
        self.written[p] = max(self.written[p], epoch)
        if record.value is None:
            return
        row = json.loads(record.value)
        if self.said.setdefault((p, record.key, row["version"]), record.value) != record.value:
            raise Violation(f"two values for {record.key!r} version {row['version']}")
        if row["version"] < self.latest[p].get(record.key, row)["version"]:
            raise Violation(f"{record.key!r}: version {row['version']} after a later one")
        self.latest[p][record.key] = row

    def _tell(self, p: int, value: bytes) -> None:
        """An event; it may come again, as it was and from the same partition."""
        row = json.loads(value)
        place = row["model"], row["source_partition"], row["source_offset"]
        self.met["event told again"] += place in self.events
        if self.events.setdefault(place, (p, value)) != (p, value):
            raise Violation(f"two events for {place}: {value!r} and {self.events[place]}")

    def append(self, log: list[bytes], record: bytes) -> int:
        """The offset."""
        log.append(record)
        return len(log) - 1

    def send(self, life: Life, effects: Sequence[Callable[[], Any]]) -> Flight:
        """On its way."""
        flight = Flight(life, list(effects))
        self.flights.append(flight)
        return flight

    def arrive(self) -> None:
        """Something that is on its way moves; what a dead process sent may be lost."""
        at = self.rng.randrange(len(self.flights))
        flight = self.flights[at]
        if flight.life.dead and self.rng.random() < 0.3:
            flight.effects.clear()
            self.met["lost on its way"] += 1
        flight.move(self.rng.choice((1, 1, 2, 9)))
        if flight.done:
            self.flights[at] = self.flights[-1]
            self.flights.pop()

    def bury(self, s: int, offset: int, reason: str) -> None:
        """A dead letter; it may come again, but not with another reason."""
        if self.dead.setdefault((s, offset), reason) != reason:
            raise Violation(f"dead letter {s}/{offset}: {reason} and {self.dead[s, offset]}")
