"""`lepton-stream run`: carry out a pipeline."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from lepton_stream.cli.progress import bar
from lepton_stream.cli.totals import totals
from lepton_stream.errors import UsageError
from lepton_stream.formats.dead_letters import to_line
from lepton_stream.formats.results_out import Output, open_output
from lepton_stream.pipeline.source import find
from lepton_stream.runtime.local import Bury, LocalRun, Options

_SIGPIPE = 128 + signal.SIGPIPE


class RouteChoice(StrEnum):
    """How rows travel from prepare to merge."""

    PARTIALS = "partials"
    ROWS = "rows"


def run(
    pipeline: Annotated[str, typer.Argument(help="A shipped name (iot/air_quality), a TOML file, or module:object.")],
    inputs: Annotated[
        list[str], typer.Option("--input", "-i", help="Files to read, each a source partition; - is stdin.")
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="Results: .jsonl or .csv, .gz or .zst; - is stdout.")
    ] = "-",
    stats: Annotated[Path | None, typer.Option(help="Write the totals as JSON into this file.")] = None,
    dead_letters: Annotated[Path | None, typer.Option(help="Write rejected records here, one JSON line each.")] = None,
    partitions: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Split the inputs by key, as a topic with N partitions would.")
    ] = None,
    route: Annotated[
        RouteChoice, typer.Option(help="Pre-aggregate before the shuffle, or send rows.")
    ] = RouteChoice.PARTIALS,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no totals on stderr.")] = False,
) -> int:
    """Run a pipeline over files, in this process and without a broker.

    For example: lepton-stream run iot/air_quality --input data/*.csv.gz --output daily.jsonl --stats totals.json

    Or in a pipe: zcat events.jsonl.gz | lepton-stream run my.toml --input - | head
    """
    plan = find(pipeline)
    with ExitStack() as open_files:
        bury = _burial(dead_letters, open_files)
        options = Options(partitions=partitions, route=route.value, bury=bury, stdin=sys.stdin.buffer)
        local = LocalRun(plan, inputs, options)
        out = open_files.enter_context(open_output(output, sys.stdout.buffer))
        try:
            _drive(local, out, quiet=quiet)
        except BrokenPipeError:  # whoever read our results has left; the interpreter must not flush into the pipe again
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _SIGPIPE
        finally:
            if stats is not None:
                _write(stats, orjson.dumps(local.stats(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return 0


def _drive(local: LocalRun, out: Output, *, quiet: bool) -> None:
    interrupted = True
    try:
        with bar(local, quiet=quiet) as progress:
            for batch in local:
                out.write(list(batch.rows()))
                progress.update()
        interrupted = False
    finally:
        if not quiet:
            totals(local, interrupted=interrupted)


def _burial(path: Path | None, open_files: ExitStack) -> Bury:
    if path is None:
        return Options().bury
    try:
        file = open_files.enter_context(path.open("wb"))
    except OSError as error:
        raise UsageError(
            f"--dead-letters {path}: cannot be written: {error.strerror}; name a file you may write"
        ) from None
    return lambda letters: file.writelines(to_line(letter) for letter in letters)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"--stats {path}: cannot be written: {error.strerror}; name a file you may write") from None
