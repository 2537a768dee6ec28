"""The single point: a whole pipeline in one process, from files or records at hand, without a broker."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeAlias

from lepton_stream import clock
from lepton_stream.account import Account
from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.compiled import loader
from lepton_stream.core import Job, PartitionState, Prepared, Route, SourceState, checkpoint, fold, heartbeat, prepare
from lepton_stream.errors import PlanError, Problem
from lepton_stream.formats.dead_letters import DeadLetter, dead_letter, withheld
from lepton_stream.memory.budget import Budget
from lepton_stream.memory.held import held_by, refuse_too_much
from lepton_stream.models.events import Events, events_together
from lepton_stream.pipeline.plan import Plan
from lepton_stream.runtime import partitioned
from lepton_stream.runtime.ahead import ahead, cores
from lepton_stream.runtime.inputs import Input, RecordsAtHand, is_file, open_inputs
from lepton_stream.runtime.lines import CLEAN, DECODE, READ, Feed, Line, Step
from lepton_stream.runtime.local_telling import LocalTelling
from lepton_stream.runtime.pseudonym_secret import secret_for
from lepton_stream.runtime.stopwatch import Stopwatch
from lepton_stream.windows.results import Results, together

Bury: TypeAlias = Callable[[Sequence[DeadLetter]], None]
Tell: TypeAlias = Callable[[Sequence[Events]], None]
InputGiven: TypeAlias = str | Path | RecordsAtHand | Sequence[str | Path]


_LONG_RUN_S = 0.25
"""Seconds after which loading the compiled path pays."""


def _discard(_letters: Sequence[DeadLetter]) -> None:
    """Nobody asked for the dead letters; they are counted all the same."""


def _keep_quiet(_events: Sequence[Events]) -> None:
    """Nobody asked for the events; they are counted all the same."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a local run is carried out; none of it changes what is counted, but for `partitions`.

    `partitions`: split the merged inputs by key as a topic of so many partitions would hold them, and shuffle over as
    many as `topics.partitions` allows; None: each input is a source partition of its own. `bury` takes the dead letters
    of a chunk, `tell` the events of models. `memory`: what state may take, None: all there is. `telling` is told how
    the run goes. `pseudonyms`: their secret; None: that of the environment, where the plan has any.
    """

    partitions: int | None = None
    route: Route = "partials"
    bury: Bury = _discard
    tell: Tell = _keep_quiet
    stdin: BinaryIO | None = None
    run_start_us: int | None = None
    memory: Budget | None = None
    telling: LocalTelling | None = None
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    pseudonyms: bytes | None = None


class LocalRun:
    """Iterate for the results, batch by batch; afterwards `account`, `stages` and the rest tell how it went.

    Raises UsageError and PlanError before the first result where inputs cannot be read or do not fit, UsageError too
    where a plan with pseudonyms has no secret.
    """

    def __init__(self, plan: Plan, given: InputGiven, options: Options | None = None) -> None:
        self.plan, self._options = plan, options or Options()
        self._pseudonyms = self._options.pseudonyms or secret_for(plan, os.environ)
        start = self._options.run_start_us
        run_start_us = clock.now_us() if start is None else start
        self.inputs: list[Input] = open_inputs(given, plan, run_start_us, self._options.stdin)
        self.watch = Stopwatch(clock.cpu_s)
        self.accounts: dict[SourcePartition, Account] = {}
        self.results = 0
        self.events = 0
        self._first_reject = ""

    def __iter__(self) -> Iterator[Results]:
        if loader.wished():
            loader.start().join()
        self.watch = Stopwatch(clock.cpu_s)  # what opening and loading took is no stage of the work
        began, cpu = clock.elapsed_s(), clock.cpu_s()
        try:
            with closing(self._batches()) as batches:
                for batch in batches:
                    self.results += len(batch)
                    yield batch
            self.ended = True
        finally:
            self.seconds, self.cpu_seconds = clock.elapsed_s() - began, clock.cpu_s() - cpu
            self.close()
        self._refuse_if_nothing_fits()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the inputs; a run that was iterated to its end has done so."""
        for given in self.inputs:
            given.close()

    seconds = 0.0
    cpu_seconds = 0.0
    ended = False

    @property
    def account(self) -> Account:
        """All source partitions together, as far as the run has come."""
        return Account.total(self.accounts.values())

    def stats(self) -> dict[str, Any]:
        """Totals as plain values, what `--stats` writes."""
        named = {f"{s.topic}[{s.partition}]": a.to_dict() for s, a in self.accounts.items()}
        return {
            **self.account.to_dict(),
            "results": self.results,
            **({"events": self.events} if self.plan.in_order else {}),
            "seconds": round(self.seconds, 6),
            "cpu_seconds": round(self.cpu_seconds, 6),
            "path": loader.state().path,
            "stages": {stage: round(s, 6) for stage, s in self.watch.stages.items()},
            "sources": named,
        }

    def _batches(self) -> Generator[Results]:
        partitions = self._options.partitions
        apart = cores() > 1 and all(map(is_file, self.inputs))
        feed = Feed(self._reading_watch() if apart else self.watch)
        first = self.inputs[0].decoder(self.plan.fields)
        job = Job(
            self.plan,
            first,
            self._options.secret,
            partitions=min(partitions or 1, self.plan.topics.partitions),
            route=self._options.route,
            pseudonyms=self._pseudonyms,
            lap=self.watch.lap,
        )
        if partitions is None:
            jobs = (job.decoding(g.decoder(self.plan.fields)) for g in self.inputs)
            lines = [self._line(g.source, own, feed, g.long) for g, own in zip(self.inputs, jobs, strict=True)]
            steps = feed.by_time(lines, self.inputs)
        else:
            topic = self.plan.source.topic
            cut = [partitioned.Partition(SourcePartition(topic, p)) for p in range(partitions)]
            lines = [self._line(c.source, job, feed, c.long) for c in cut]
            chunks = partitioned.chunks(self.inputs, self.plan, cut)
            steps = feed.in_turn((lines[c.source.partition], chunk) for c, chunk in chunks)
        with closing(ahead(steps) if apart else steps) as ready:
            yield from self._drive(job, lines, ready)

    def _reading_watch(self) -> Stopwatch:
        """For the thread that reads and cleans: two threads have a watch each, and book their own stages."""
        self.watch = Stopwatch(clock.thread_cpu_s)
        self.watch.stages |= dict.fromkeys((READ, DECODE, CLEAN), 0.0)  # no name may come while somebody reads them
        return Stopwatch(clock.thread_cpu_s, self.watch.stages)

    def _line(self, source: SourcePartition, job: Job, feed: Feed, long: dict[int, int]) -> Line:
        self.accounts[source] = Account()
        return Line(source, job, job.timed_by(feed.watch.lap), SourceState(job), long)

    def _drive(self, job: Job, lines: list[Line], steps: Iterable[Step]) -> Iterator[Results]:
        """Chunk by chunk through prepare, fold and checkpoint."""
        sources = {line.source.partition: 0 for line in lines}
        states = [PartitionState.empty(job, sources) for _ in range(job.partitions)]
        telling, long_run = self._options.telling, clock.elapsed_s() + _LONG_RUN_S
        for line, chunk, cleaned in steps:
            if clock.elapsed_s() > long_run:
                loader.start()  # does nothing the second time
            if chunk is None:
                frames = heartbeat(job, line.source.partition, line.next, line.state.high, ended=True)
            else:
                began = clock.elapsed_s()
                prepared = prepare(line.job, line.state, chunk, cleaned)
                self._settle(line, chunk, prepared)
                line.next, frames = chunk.end, prepared.frames
                if telling is not None:
                    telling.prepared(chunk, began)
            yield from self._merge(job, states, frames)
            self._refuse_too_much(lines, states)
        for line in lines:
            ended = heartbeat(job, line.source.partition, line.next, line.state.high, ended=True)
            yield from self._merge(job, states, ended)
        if telling is not None:
            telling.look(self.accounts, states, self.watch.stages, last=True)

    def _merge(self, job: Job, states: list[PartitionState], frames: list[Any]) -> Iterator[Results]:
        began, telling = clock.elapsed_s(), self._options.telling
        for state, frame in zip(states, frames, strict=True):
            fold(job, state, frame)
        self.watch.lap("fold")
        done = [checkpoint(state) for state in states]
        batches = together([batch for one in done for batch in one.results])
        self.watch.lap("close windows")
        if telling is not None:
            telling.merged(began)
            telling.look(self.accounts, states, self.watch.stages)
        self._tell([batch for one in done for batch in one.events])
        yield from batches
        self.watch.lap("output")

    def _tell(self, batches: list[Events]) -> None:
        """Hand on what models have found."""
        if batches:
            batches = events_together(batches)
            self.events += sum(map(len, batches))
            self._options.tell(batches)

    def _settle(self, line: Line, chunk: Chunk, prepared: Prepared) -> None:
        """Book the chunk and bury its dead letters."""
        total = Account()
        total.add(self.accounts[line.source])
        total.add(prepared.account)
        self.accounts[line.source] = total  # in one step: an interrupt must not find half a chunk booked
        if not prepared.rejects:
            return
        letters = []
        for reject in prepared.rejects:
            offset, value = int(chunk.offsets[reject.row]), chunk.values.whole(reject.row)
            letter = dead_letter(line.source, offset, reject, value, line.long.pop(offset, None))
            letters.append(letter if self.plan.sets_aside_raw else withheld(letter))
        if not self._first_reject:
            letter = letters[0]
            self._first_reject = f"{letter.source.topic}, record {letter.offset}: {letter.detail}"
        self._options.bury(letters)
        self.watch.lap("dead letters")

    def _refuse_too_much(self, lines: Sequence[Line], states: Sequence[PartitionState]) -> None:
        """Stop before the system does; a table that has closed windows by now is as small as it gets."""
        budget, plan = self._options.memory, self.plan
        if budget is not None:
            dedups = [line.state.dedup for line in lines if line.state.dedup is not None]
            tables = [table for state in states for table in state.holders]
            refuse_too_much(budget, held_by(dedups, tables), plan, len(states))

    def _refuse_if_nothing_fits(self) -> None:
        """When every record was dead-lettered, plan and data do not fit: say so instead of ending well."""
        total = self.account
        if total.read and total.dead_lettered.total() == total.read:
            reason, count = total.dead_lettered.most_common(1)[0]
            wish = f"none of the {total.read:,} records fits this plan; most often {reason} ({count:,})"
            problem = Problem("input", "", f"{wish}; the first: {self._first_reject}", self._meant())
            raise PlanError(f"{self.plan.name}: the input does not fit the pipeline", [problem])

    def _meant(self) -> str:
        """The commonest misfit of all: a CSV file read as JSON lines."""
        named = any(".csv" in given.name.lower() for given in self.inputs)
        return '[source.file] format = "csv"' if named and self.plan.source.file.format == "json" else ""
