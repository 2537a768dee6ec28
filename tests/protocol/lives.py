"""What drives one incarnation of an owner: reads its position, hands it what is there, lets it say what is due."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from lepton_stream.chunk import SourcePartition
from lepton_stream.core import Job
from lepton_stream.errors import IntegrityError
from lepton_stream.protocol.limits import Limits
from lepton_stream.protocol.merger import Merger
from lepton_stream.protocol.metadata import claim_of, era_of
from lepton_stream.protocol.ports import FrameRun
from lepton_stream.protocol.preparer import Preparer
from tests.protocol.defects import Defect
from tests.protocol.records import ROUTES, SECOND
from tests.protocol.truth import Truth
from tests.protocol.world import Flight, Life, Violation, What, World

Steps = Coroutine[Flight | None, None, None]


class Pause:
    """Anybody else may go on."""

    def __await__(self) -> Generator[None, None, None]:
        yield None


@dataclass
class Meanwhile:
    """Runs a coroutine, and something else each time that it waits."""

    coroutine: Coroutine[Any, None, object]
    other: Callable[[], object]

    def __await__(self) -> Generator[Any, None, None]:
        while True:
            try:
                waits = self.coroutine.send(None)
            except StopIteration:
                return
            self.other()
            yield waits


@dataclass
class Stage:
    """What all incarnations share.

    `run`: its name. `future`: the truth about the whole logs; it tells which idle marks harm nobody. `rash`: marks
    that do harm. `routing`: decides how the rows of a range travel, also of one that is sent again. `forgot`: retention
    has taken what an owner's dedup memory should cover, and the owner said so.
    """

    world: World
    defect: Defect
    jobs: tuple[Job, ...]
    future: Truth
    limits: Limits
    until_end: bool
    rash: bool
    routing: Random
    run: str = ""
    reading: dict[int, Life] = field(default_factory=dict)
    mergers: dict[int, Merger] = field(default_factory=dict)
    rested: dict[What, Any] = field(default_factory=dict)
    births: int = 0
    forgot: bool = False

    def before(self, what: What) -> Any:
        """An owner of the same partition that is at rest for good: of this worker, now and then."""
        return self.rested.get(what) if self.world.rng.random() < 0.5 else None


async def own_source(stage: Stage, life: Life) -> None:
    """Until the end is told, or the whole log is read and settled."""
    w, s = stage.world, life.what[1]
    await Pause()
    at = w.position(life.what)
    port = stage.defect.source_port(w, life)
    preparer = stage.defect.preparer(w.rng.choice(stage.jobs), SourcePartition("events", s), port)
    before = stage.before(life.what)
    era = era_of((claim_of(text, "model") for (kind, _), (_, text) in w.commits.items() if kind == "s"), stage.run)
    at_offset = preparer.begin(at, at.log_end if stage.until_end else None, stage.run, before, era)
    if at.offset is not None and at.offset < at.log_start:
        raise Violation(f"s{s}: what retention has deleted was passed over, {at.offset} to {at.log_start}")
    w.met["claimed range rebuilt"] += preparer._claimed is not None
    kept = before is not None and preparer.state is before.state
    w.met["memory kept"] += kept
    stage.forgot |= preparer.forgotten > 0 and not kept
    try:
        await _read(stage, life, preparer, at_offset)
    finally:  # also when the coroutine is closed where it waits
        w.reads_from.pop(life, None)
        stage.rested[life.what] = preparer
    if stage.reading.get(s) is life:
        del stage.reading[s]


async def _read(stage: Stage, life: Life, preparer: Preparer, at_offset: int) -> None:
    w, s = stage.world, life.what[1]
    while not await _all_told(stage, life, preparer, at_offset):
        end, w.reads_from[life] = w.visible[s], at_offset
        if at_offset < end and not preparer.finished:
            stop = min(end, at_offset + w.rng.randint(1, 7))
            preparer.routes = [stage.routing.choice(ROUTES) for _ in preparer.job.sections]
            await preparer.take(w.chunk(s, at_offset, stop))
            at_offset = stop
        if w.rng.random() < 0.3:
            w.visible[s] = min(len(w.logs[s]), w.visible[s] + w.rng.randint(0, 5))
        await Pause()


async def _all_told(stage: Stage, life: Life, preparer: Preparer, at: int) -> bool:
    w, s = stage.world, life.what[1]
    if at < w.visible[s] and w.rng.random() < 0.7 and not preparer.finished:
        return False
    await preparer.settle()
    if preparer.finished:
        return True
    if at >= w.visible[s] and w.rng.random() < 0.4:
        await preparer.quiet(_mark(stage, life, at))
    elif w.rng.random() < 0.1:
        await preparer.greet()
    return not stage.until_end and at >= len(w.logs[s])


def _mark(stage: Stage, life: Life, at: int) -> int:
    """Up to where time has passed: no record to come is older. Who was replaced believes that it is much later."""
    w, s = stage.world, life.what[1]
    if not w.current(life.who):
        return max(v.high or 0 for v in stage.future.verdicts) + 60 * SECOND
    coming = [time for offset, time in stage.future.verdicts[s].taken if offset >= at]
    latest = min(coming, default=max(v.high or 0 for v in stage.future.verdicts) + 20 * SECOND)
    w.met["idle"] += 1
    return latest + w.rng.choice((5, 20, 50) if stage.rash else (0, 0, -1, -5, -20)) * SECOND


async def own_shuffle(stage: Stage, life: Life) -> None:
    """Until all has ended, or all that was sent is folded and nobody sends any more."""
    w, p = stage.world, life.what[1]
    await Pause()
    at = w.position(life.what)
    stage.births += 1
    port, sources = stage.defect.merge_port(w, life), len(w.logs)
    job = w.rng.choice(stage.jobs)
    merger = stage.defect.merger(job, SourcePartition("shuffle", p), port, sources, f"i{stage.births}", stage.limits)
    stage.mergers[p] = merger
    before = stage.before(life.what)
    try:
        await merger.begin(at, before)
        w.met["state kept"] += before is not None and merger.state is before.state
        await _fold(stage, life, merger)
    finally:
        stage.rested[life.what] = merger


async def _fold(stage: Stage, life: Life, merger: Merger) -> None:
    w, p = stage.world, life.what[1]
    w.met["state of several checkpoints"] += merger.pointer.base < merger.pointer.first
    w.met["windows waiting at a takeover"] += merger.more
    while not _all_folded(stage, merger, p):
        await Pause()
        read = _feed(w, merger, p)
        if merger.due and (not read or w.rng.random() < 0.3):
            await Meanwhile(merger.checkpoint(), lambda: w.rng.random() < 0.2 and _feed(w, merger, p))


def _all_folded(stage: Stage, merger: Merger, p: int) -> bool:
    if merger.due or merger.next < len(stage.world.shuffle[p]):
        return False
    return not stage.reading and (merger.pointer.ended or not stage.until_end)


def _feed(w: World, merger: Merger, p: int) -> bool:
    """Hand over some frames; False if there is none."""
    if merger.next < w.shuffle_start[p]:
        raise IntegrityError(f"p{p}: {merger.next} lies below the log's start {w.shuffle_start[p]}")
    end = min(len(w.shuffle[p]), merger.next + w.rng.randint(1, 4))
    if end <= merger.next:
        return False
    merger.take(FrameRun(np.arange(merger.next, end), w.shuffle[p][merger.next : end], end))
    return True
