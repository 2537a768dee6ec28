"""Streams for tests of the core: a plan with several window sections, and a driver that cuts and mixes as told."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from lepton_stream.account import Account
from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.core import Job, PartitionState, Route, SourceState, checkpoint, fold, heartbeat, prepare
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.plan import Plan
from lepton_stream.shuffle.frame import Frame, decode, encode
from lepton_stream.windows.results import Results

NOW_US = 2_000_000_000_000_000
SECRET = bytes(range(16))
MEMORY = 5
ROUTES: tuple[Route, ...] = ("rows", "partials", "mixed")
GAP = 3  # every third record is followed by a hole, as a transaction marker leaves one

_FIGURES = ("sum", "mean", "variance", "std", "min", "max", "first", "last")

FIELDS = (
    Pipeline("streams")
    .source("streams.v1", time="t", key="device", id=["device", "id"])
    .field("t", "float")
    .field("device", "str")
    .field("id", "int")
    .field("value", "float", required=False)
    .field("seq", "int", required=False)
    .field("ok", "bool")
)
"""A plan without sections."""

PLAN: Plan = (
    FIELDS.dedup(memory=MEMORY)
    .window(
        "ten",
        size="10s",
        lateness="3s",
        results={"n": "count()", "there": "count(value)", **{f: f"{f}(value)" for f in _FIGURES}},
    )
    .window(
        "seven",
        size="7s",
        offset="2s",
        emit="updates",
        group_by=["device", "ok"],
        results={"none": "null_count(seq)", **{f: f"{f}(seq)" for f in _FIGURES}},
    )
    .window("minute", size="1m", lateness="20s", group_by=["ok"], results={"n": "count()", "last": "last(value)"})
    .plan
)

Partitions = Sequence[Sequence[bytes | None]]


@dataclass
class Outcome:
    """What came out. `accounts` as plain values, `rejects` by (source, offset), `late` likewise."""

    accounts: dict[int, dict[str, Any]] = field(default_factory=dict)
    folded: dict[int, dict[str, Any]] = field(default_factory=dict)
    rejects: list[tuple[int, int, str, str]] = field(default_factory=list)
    late: list[tuple[int, int]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def final(self) -> list[bytes]:
        """The final results without their version, as bytes, in an order of their own."""
        finals = (row for row in self.rows if row["final"])
        return sorted(orjson.dumps({k: v for k, v in row.items() if k != "version"}) for row in finals)

    def same(self) -> tuple[object, ...]:
        """Everything that must not depend on how the run was carried out."""
        events = sorted(map(orjson.dumps, self.events))
        return self.accounts, self.folded, sorted(self.rejects), sorted(self.late), self.final(), events


def offset_of(place: int) -> int:
    """The offset of a partition's record."""
    return place + place // GAP


def chunk(source: int, values: Sequence[bytes | None], first: int = 0, start: int | None = None) -> Chunk:
    """Records `first`, `first` + 1 ... of a source partition, up to the offset of the one behind them."""
    offsets = np.array([offset_of(first + i) for i in range(len(values))], np.int64)
    begin = offset_of(first) if start is None else start
    timestamp = np.full(len(values), NOW_US, np.int64)
    end = offset_of(first + len(values))
    return Chunk(SourcePartition("streams.v1", source), begin, end, offsets, Values.from_list(values), timestamp)


def new_job(plan: Plan = PLAN, *, secret: bytes = SECRET, partitions: int = 1, route: Route = "partials") -> Job:
    """A job for JSON records."""
    return Job(plan, JsonDecoder(plan.source, plan.fields), secret, partitions=partitions, route=route)


@dataclass
class Manner:
    """How a run is carried out; `draw` decides about cuts, interleaving, routes, and which frames travel as bytes."""

    draw: random.Random
    partitions: int = 1
    secret: bytes = SECRET
    longest: int = 6


def plainly(partitions: Partitions, plan: Plan = PLAN) -> Outcome:
    """Each source in one chunk, one after the other."""
    return carry_out(partitions, Manner(random.Random(0), longest=10**9), plan)


def carry_out(partitions: Partitions, manner: Manner, plan: Plan = PLAN) -> Outcome:
    """All source partitions to their ends through prepare, fold and checkpoint."""
    draw, job = manner.draw, new_job(plan, secret=manner.secret, partitions=manner.partitions)
    states = [PartitionState.empty(job, dict.fromkeys(range(len(partitions)), 0)) for _ in range(manner.partitions)]
    sources = [SourceState(job) for _ in partitions]
    place, found, totals = [0] * len(partitions), Outcome(), [Account() for _ in partitions]
    running = list(range(len(partitions)))
    while running:
        s = draw.choice(running)
        if place[s] == len(partitions[s]):
            running.remove(s)
            frames = heartbeat(job, s, offset_of(place[s]), sources[s].high, ended=True)
        else:
            part = partitions[s][place[s] : place[s] + draw.randint(1, manner.longest)]
            routes = [draw.choice(ROUTES) for _ in job.sections]
            made = prepare(job, sources[s], piece := chunk(s, part, place[s]), routes=routes)
            place[s] += len(part)
            totals[s].add(made.account)
            found.rejects += [(s, int(piece.offsets[r.row]), str(r.reason), r.detail) for r in made.rejects]
            found.late += [(s, int(o)) for o in made.late]
            frames = made.frames
        for state, frame in zip(states, frames, strict=True):
            assert fold(job, state, _travelled(frame, draw))
            done = checkpoint(state)
            found.rows += [row for batch in done.results for row in batch.rows()]
            found.events += [row for batch in done.events for row in batch.rows()]
    found.accounts = {s: dict(account.to_dict()) for s, account in enumerate(totals)}
    found.folded = _folded(states)
    return found


def _travelled(frame: Frame, draw: random.Random) -> Frame:
    return decode(encode(frame)) if draw.random() < 0.5 else frame


def _folded(states: Sequence[PartitionState]) -> dict[int, dict[str, Any]]:
    whole: dict[int, Account] = {}
    for state in states:
        for source, account in state.account.items():
            whole.setdefault(source, Account()).add(account)
    return {source: dict(account.to_dict()) for source, account in sorted(whole.items())}


def rows_of(batches: Sequence[Results]) -> list[dict[str, Any]]:
    """Flat records of some batches."""
    return [row for batch in batches for row in batch.rows()]


def record(t: float, device: str = "a", number: int = 0, value: float | None = 1.0, **more: object) -> bytes:
    """One record of PLAN."""
    return orjson.dumps({"t": t, "device": device, "id": number, "value": value, "ok": True, **more})


def outcomes_of(account: dict[str, Any]) -> Counter[str]:
    """The four outcomes of a plain account."""
    four = Counter({name: account[name] for name in ("accepted", "duplicate", "late")})
    four["dead_lettered"] = sum(account["dead_lettered"].values())
    return four
