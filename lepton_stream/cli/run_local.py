"""`lepton-stream run` over files, in this process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import BinaryIO, Self, TextIO

from lepton_stream.cli.destinations import (
    SIGPIPE,
    abandon_stdout,
    refuse_overlaps,
    refuse_silent,
    refuse_unwritable,
    unwritable,
    write_stats,
    writing,
)
from lepton_stream.cli.observing import Observing, served
from lepton_stream.cli.progress import bar
from lepton_stream.cli.totals import totals
from lepton_stream.core import Route
from lepton_stream.formats.dead_letters import DeadLetter, to_line
from lepton_stream.formats.results_out import Output, open_output
from lepton_stream.memory.budget import Budget
from lepton_stream.models.events import Events
from lepton_stream.pipeline.plan import Plan
from lepton_stream.runtime.allocator import keep_freed_memory
from lepton_stream.runtime.local import LocalRun, Options
from lepton_stream.runtime.local_telling import LocalTelling
from lepton_stream.telemetry.cost import Cost, Prices
from lepton_stream.telemetry.logs import log_is_json


def run_locally(
    plan: Plan,
    inputs: Sequence[str],
    output: str,
    stats: Path | None,
    dead_letters: Path | None,
    events: str | None,
    observing: Observing,
    memory: Budget,
    *,
    partitions: int | None,
    route: Route,
    quiet: bool,
) -> int:
    """Read the inputs to their end; the exit code."""
    keep_freed_memory(memory.bytes // 8)
    named: dict[str, str | Path | None] = {"--output": output, "--stats": stats, "--dead-letters": dead_letters}
    refuse_overlaps(inputs, {**named, "--events": events})
    refuse_silent(plan, events=events is not None)
    refuse_unwritable("--stats", stats)
    refuse_unwritable("--dead-letters", dead_letters)
    with ExitStack() as open_files:
        letters = _Burial(dead_letters)
        server = open_files.enter_context(served(observing, plan.name, 1)) if observing.said else None
        telling = LocalTelling(partial(server.tally.hear, 0)) if server else None
        stdin = _bytes_of(sys.stdin)
        found = _Alarms(events)
        options = Options(
            partitions=partitions, route=route, bury=letters, tell=found, stdin=stdin, telling=telling, memory=memory
        )
        # Inputs first: a mistyped one must not cost the results and dead letters of an earlier run.
        local = open_files.enter_context(LocalRun(plan, [Path(i) for i in inputs], options))
        out = open_output(output, _bytes_of(sys.stdout))
        open_files.enter_context(letters)
        open_files.enter_context(found)
        try:
            _drive(local, out, f"--output {output}", observing.prices, quiet=quiet)
        except BrokenPipeError:  # whoever read our results has left
            abandon_stdout()
            return SIGPIPE
        finally:
            if stats is not None:
                write_stats(stats, local.stats() | {"cost": cost_of(local, observing.prices).to_dict()})
    return 0


def _bytes_of(stream: TextIO | None) -> BinaryIO | None:
    """A standard stream's bytes; there is none where the caller closed it."""
    return None if stream is None else stream.buffer


def cost_of(run: LocalRun, prices: Prices) -> Cost:
    """What the run took; nothing is sent anywhere."""
    return Cost(run.account.read, run.cpu_seconds, 0, prices)


def _drive(local: LocalRun, out: Output, name: str, prices: Prices, *, quiet: bool) -> None:
    interrupted = True
    try:
        with writing(name), out, bar(local, quiet=quiet or log_is_json()) as progress:
            for batch in local:
                out.write_columns(batch.told())
                progress.update()
        interrupted = False
    finally:
        if not quiet:
            totals(local, cost_of(local, prices), interrupted=interrupted)


class _Alarms:
    """Writes events as they come."""

    def __init__(self, to: str | None) -> None:
        self._to = to
        self._out: Output | None = None

    def __enter__(self) -> Self:
        if self._to is not None:
            self._out = open_output(self._to, _bytes_of(sys.stdout))
        return self

    def __call__(self, batches: Sequence[Events]) -> None:
        if self._out is not None:
            with writing(f"--events {self._to}"):
                for batch in batches:
                    self._out.write_columns(batch.columns)

    def __exit__(self, *_: object) -> None:
        if self._out is not None:
            with writing(f"--events {self._to}"):
                self._out.close()


class _Burial:
    """Writes dead letters, a chunk's at a time and handed on at once: whatever ends the run, lines are whole."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        if self._path is not None:
            try:
                self._file = self._path.open("wb")
            except OSError as error:
                raise unwritable("--dead-letters", self._path, error) from None
        return self

    def __call__(self, letters: Sequence[DeadLetter]) -> None:
        if self._file is not None:
            with writing(f"--dead-letters {self._path}"):
                self._file.write(b"".join(to_line(letter) for letter in letters))
                self._file.flush()

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with writing(f"--dead-letters {self._path}"):
                self._file.close()
