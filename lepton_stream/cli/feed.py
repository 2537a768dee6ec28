"""`lepton-stream feed`: records of files into the source topic."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from lepton_stream import clock
from lepton_stream.cli.kafka_options import takes_connection
from lepton_stream.cli.pipeline_name import PipelineName
from lepton_stream.errors import UsageError
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.source import find
from lepton_stream.runtime.inputs import Input, open_inputs
from lepton_stream.runtime.kafka.admin import Admin, partitions_of
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.feed import Fed, Feed, waves
from lepton_stream.runtime.kafka.produce import Producer
from lepton_stream.runtime.kafka.schedule import AtOnce, Pace, Rate, Schedule


@takes_connection
def feed_command(
    connection: Connection,
    pipeline: PipelineName,
    inputs: Annotated[
        list[str], typer.Option("--input", "-i", help="Files to read, merged by event time; - is stdin.")
    ],
    rate: Annotated[float | None, typer.Option(help="So many events a second.", metavar="N")] = None,
    pace: Annotated[
        float | None, typer.Option(help="Event time at X times its own speed; 1 is as it happened.", metavar="X")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The totals as one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no totals on stderr.")] = False,
) -> None:
    """Send the records of files into the pipeline's source topic, as fast as it goes or at a pace.

    A thousand events a second: lepton-stream feed iot/air_quality --input data/*.csv.gz --rate 1000

    An hour of data in a second: lepton-stream feed my.toml --input events.jsonl --pace 3600
    """
    plan = find(pipeline)
    schedule = schedule_of(rate, pace)
    opened = open_inputs(list(inputs), plan, clock.now_us(), sys.stdin.buffer if sys.stdin else None)
    fed = Fed()
    try:
        with _progress(plan, opened, quiet=quiet) as tell:
            asyncio.run(_feed(connection, plan, opened, schedule, fed, tell))
    finally:
        for given in opened:
            given.close()
        if not quiet and not as_json:
            print("\n".join(lines_of(plan, fed)), file=sys.stderr)
    if as_json:
        sys.stdout.write(orjson.dumps(document_of(fed)).decode() + "\n")


def schedule_of(rate: float | None, pace: float | None) -> Schedule:
    """What the options ask for. Raises UsageError for both at once, or for a speed that is none."""
    if rate is not None and pace is not None:
        raise UsageError("--rate and --pace: give one of them; a rate is events a second, a pace is event time")
    for name, value in (("--rate", rate), ("--pace", pace)):
        if value is not None and not 0 < value < float("inf"):
            raise UsageError(f"{name} {value}: expects a number above 0")
    if rate is not None:
        return Rate(rate)
    return AtOnce() if pace is None else Pace(pace)


async def _feed(
    connection: Connection, plan: Plan, inputs: list[Input], schedule: Schedule, fed: Fed, tell: Callable[[Fed], None]
) -> None:
    async with Admin(connection) as admin:
        partitions = await partitions_of(admin, plan.source.topic)
    async with Producer(connection) as producer:
        sending = Feed(plan.source.topic, producer, schedule, asyncio.sleep, tell)
        await sending.send(waves(inputs, plan, partitions), fed)


@contextmanager
def _progress(plan: Plan, inputs: list[Input], *, quiet: bool) -> Iterator[Callable[[Fed], None]]:
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    sizes = [given.size for given in inputs]
    known = None if None in sizes else sum(size or 0 for size in sizes)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True, refresh_per_second=5) as progress:
        task = progress.add_task(f"{plan.name} -> {plan.source.topic}", total=known, told="")

        def tell(fed: Fed) -> None:
            told = f"{fed.records:,} records  {fed.records / max(fed.seconds, 1e-9):,.0f}/s"
            progress.update(task, completed=sum(given.position for given in inputs), told=told)

        yield tell


def document_of(fed: Fed) -> dict[str, object]:
    """The totals as plain values."""
    return {
        "records": fed.records,
        "bytes": fed.bytes,
        "seconds": round(fed.seconds, 6),
        "without_key": fed.keyless,
        "cut": fed.cut,
        "partitions": {str(p): n for p, n in sorted(fed.partitions.items())},
    }


def lines_of(plan: Plan, fed: Fed) -> list[str]:
    """The totals for people."""
    speed = f", {fed.records / fed.seconds:,.0f} records/s" if fed.seconds > 0 else ""
    spread = ", ".join(f"{p}: {n:,}" for p, n in sorted(fed.partitions.items())) or "none"
    lines = [
        f"{plan.source.topic}: sent {fed.records:,} records, {fed.bytes:,} bytes in {fed.seconds:.1f} s{speed}",
        f"  by partition {spread}",
    ]
    if fed.keyless and plan.source.key:
        lines.append(f"  {fed.keyless:,} without a readable key, sent with none")
    if fed.cut:
        limit = plan.source.max_record_bytes
        lines.append(f"  {fed.cut:,} longer than max_record_bytes ({limit:,}): their beginning was sent")
    return lines
