"""`lepton-stream run`: carry out a pipeline, over files or on a broker."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lepton_stream.cli.asked import Asked
from lepton_stream.cli.autopilot_options import Tuning, takes_tuning
from lepton_stream.cli.destinations import refuse_overlaps, refuse_silent, refuse_unwritable
from lepton_stream.cli.kafka_options import EMBEDDED, OPTIONS, connection_of, takes_options
from lepton_stream.cli.observing import LogAs, LogChoice, MetricsTo, observing
from lepton_stream.cli.pipeline_name import PipelineName
from lepton_stream.cli.price_options import takes_prices
from lepton_stream.cli.run_local import run_locally
from lepton_stream.cli.worker_count import worker_count
from lepton_stream.errors import UsageError
from lepton_stream.memory.budget import VARIABLE, Budget
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.source import find
from lepton_stream.runtime.machine import cpus, memory_budget
from lepton_stream.runtime.pseudonym_secret import secret_for
from lepton_stream.telemetry.cost import Prices


class RouteChoice(StrEnum):
    """How rows travel from prepare to merge."""

    PARTIALS = "partials"
    ROWS = "rows"
    MIXED = "mixed"


Inputs = Annotated[
    list[str] | None,
    typer.Option("--input", "-i", help="Files to read, each a source partition; - is stdin. Without: Kafka."),
]
OutputTo = Annotated[
    str | None, typer.Option("--output", "-o", help="Results: .jsonl or .csv, .gz or .zst; - is stdout.")
]
EventsTo = Annotated[
    str | None,
    typer.Option(help="Events of models and alarms, in the forms of --output. Kafka: all that the topic holds."),
]
StatsTo = Annotated[Path | None, typer.Option(help="Write the totals as JSON into this file.")]
LettersTo = Annotated[Path | None, typer.Option(help="Write rejected records here, one JSON line each.")]
Partitions = Annotated[
    int | None, typer.Option(min=1, max=1000, help="Split the inputs by key, as a topic with N partitions would.")
]
RouteBy = Annotated[
    RouteChoice,
    typer.Option(help="Pre-aggregate before the shuffle, or send rows; mixed: pre-aggregate what has several rows."),
]

UntilEnd = Annotated[
    bool, typer.Option("--until-end", help="Kafka: count what the topics hold now, close every window, leave.")
]
MemoryOf = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="SIZE",
        help=f"What state and buffers of one worker may take; left out: ${VARIABLE}, the plan's, else a share of all.",
    ),
]
StaticId = Annotated[str | None, typer.Option(help="Kafka: static member id; worker N of several gets -N behind it.")]

Workers = Annotated[str, typer.Option(metavar="N|auto", help="Kafka: how many worker processes; auto: one a core.")]


@takes_options
@takes_prices
@takes_tuning
def run(
    tuning: Tuning,
    prices: Prices,
    broker: Mapping[str, str | None],
    pipeline: PipelineName,
    inputs: Inputs = None,
    output: OutputTo = None,
    stats: StatsTo = None,
    dead_letters: LettersTo = None,
    events: EventsTo = None,
    partitions: Partitions = None,
    route: RouteBy = RouteChoice.PARTIALS,
    workers: Workers = "1",
    until_end: UntilEnd = False,
    static_id: StaticId = None,
    memory: MemoryOf = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no totals on stderr.")] = False,
    metrics: MetricsTo = None,
    log_format: LogAs = LogChoice.TEXT,
    worker: Annotated[int | None, typer.Option(hidden=True)] = None,
    tell_fd: Annotated[int | None, typer.Option(hidden=True)] = None,
    run_id: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> int:
    """Run a pipeline: over files in this process, or on Kafka.

    Files: lepton-stream run iot/air_quality --input data/*.csv.gz --output daily.jsonl --stats totals.json

    Kafka: lepton-stream run iot/air_quality --broker localhost:9092 --workers 2

    Kafka, what is there now: lepton-stream run my.toml --until-end --output newest.jsonl

    Development: lepton-stream run iot/air_quality --broker embedded --input data/*.csv.gz --output -

    $LEPTON__KAFKA__SESSION_SECONDS (10): after so long without a sign of life a worker's partitions go to the others.
    $LEPTON__PSEUDONYM_SECRET_FILE: of plans with pseudonyms.
    """
    shown, plan = observing(metrics, log_format, worker, tell_fd, prices), _startable(pipeline)
    count, budget = _crew(workers, memory, plan, alone=bool(inputs) or _broker_of(broker) == EMBEDDED)
    if inputs and broker["broker"] is None:
        _refuse_for_files(count, static_id, tuning, until_end=until_end)
        files = (inputs, output or "-", stats, dead_letters, events, shown, budget)
        return run_locally(plan, *files, partitions=partitions, route=route.value, quiet=quiet)
    _refuse_for_kafka(plan, broker, inputs, dead_letters, events, partitions, output, stats, count, until_end=until_end)
    asked = Asked(
        plan=plan,
        pipeline=pipeline,
        connection=None if _broker_of(broker) == EMBEDDED else connection_of(broker, os.environ),
        options=tuple(f"{_flag(name)}={value}" for name, value in broker.items() if value and name != "broker"),
        inputs=tuple(inputs or ()), output=output, events=events, stats=stats, workers=count,
        run=(run_id or secrets.token_hex(4)) if until_end or inputs else None,
        route=route.value, static_id=static_id, worker=worker, quiet=quiet or worker is not None,
        observing=shown, memory=budget, tuning=tuning,
    )  # fmt: skip
    return _on_kafka(asked)


def _startable(pipeline: str) -> Plan:
    """The plan, told at once and not by each worker of a crew if it lacks the secret of its pseudonyms."""
    plan = find(pipeline)
    secret_for(plan, os.environ)
    return plan


def _on_kafka(asked: Asked) -> int:
    from lepton_stream.cli.run_kafka import run_on_kafka  # noqa: PLC0415  half a second that runs over files save

    return run_on_kafka(asked)


def _crew(workers: str, memory: str | None, plan: Plan, *, alone: bool) -> tuple[int, Budget]:
    """How many workers, and what each may hold. `alone`: files, and the embedded broker, take one."""
    count = worker_count(workers, cpus(), alone=alone)
    return count, memory_budget(memory, os.environ, plan, count)


def _broker_of(broker: Mapping[str, str | None]) -> str | None:
    return broker["broker"] or os.environ.get("KAFKA_BOOTSTRAP")


def _refuse_for_files(workers: int, static_id: str | None, tuning: Tuning, *, until_end: bool) -> None:
    asked = {"--workers": workers > 1, "--static-id": static_id is not None, "--until-end": until_end}
    asked |= {"--autopilot": tuning.autopilot != "off", "--flush-interval": tuning.flush_s is not None}
    asked["--placement"] = tuning.placement != "equal"
    if names := [name for name, is_asked in asked.items() if is_asked]:
        raise UsageError(f"{', '.join(names)}: is for runs on Kafka; leave it out, or name a broker with --broker")


def _refuse_for_kafka(
    plan: Plan,
    broker: Mapping[str, str | None],
    inputs: list[str] | None,
    dead_letters: Path | None,
    events: str | None,
    partitions: int | None,
    output: str | None,
    stats: Path | None,
    workers: int,
    *,
    until_end: bool,
) -> None:
    if inputs is None and not any((*broker.values(), _broker_of(broker))):
        raise UsageError(
            "run: nothing to read from: name files with --input, or a broker with --broker (or $KAFKA_BOOTSTRAP)"
        )
    if workers > 1 and _broker_of(broker) == EMBEDDED:
        raise UsageError("--workers: the embedded broker keeps no commit metadata, which several workers need; use one")
    if dead_letters is not None or partitions is not None:
        raise UsageError(
            "--dead-letters and --partitions are for runs over files; on Kafka dead letters are in their topic: "
            "lepton-stream dlq show PIPELINE"
        )
    if inputs and broker["broker"] != EMBEDDED:
        raise UsageError("--input with a broker of your own: feed it first: lepton-stream feed PIPELINE --input F")
    if output is not None and not (until_end or inputs):
        raise UsageError("--output on Kafka needs --until-end; results as they come: lepton-stream tail PIPELINE")
    if events is not None and not (until_end or inputs):
        raise UsageError(
            "--events on Kafka needs --until-end; events as they come: lepton-stream tail PIPELINE --events"
        )
    refuse_silent(plan, events=events is not None)
    refuse_overlaps(inputs or (), {"--output": output, "--events": events, "--stats": stats})
    refuse_unwritable("--stats", stats)


def _flag(name: str) -> str:
    assert name in OPTIONS
    return f"--{name.replace('_', '-')}"
