"""`lepton-stream explain`: what the autopilot decided, and why."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from lepton_stream.autopilot.record import History, Told, document_of
from lepton_stream.cli.destinations import SIGPIPE, abandon_stdout
from lepton_stream.cli.kafka_options import takes_connection
from lepton_stream.cli.pipeline_name import PipelineName
from lepton_stream.cli.terminal import json_line
from lepton_stream.errors import UsageError
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.near import nearest
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.source import find
from lepton_stream.printable import printable
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.decided import history

Knob = Annotated[
    str | None, typer.Option("--knob", help="Only decisions about this knob; its first letters do.", metavar="NAME")
]
All = Annotated[bool, typer.Option("--all", help="Earlier decisions too, the oldest first.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for programs: one decision a line.")]


@takes_connection
def explain(
    connection: Connection, pipeline: PipelineName, every: All = False, knob: Knob = None, as_json: AsJson = False
) -> int:
    """Tell what the autopilot decided: what it saw, what could be done, the choice, what it promised and delivered.

    The newest decision of each knob: lepton-stream explain iot/air_quality --broker localhost:9092

    How the codec came to be what it is: lepton-stream explain iot/air_quality --knob codec --all
    """
    plan = find(pipeline)
    found = asyncio.run(history(connection, plan))
    told = chosen(found, knob, every=every)
    try:
        for line in map(_json, told) if as_json else texts_of(told):
            sys.stdout.write(line)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it has left
        abandon_stdout()
        return SIGPIPE
    if not told:
        print(none_yet(plan, pipeline), file=sys.stderr)
    if found.unreadable:
        what = f"{found.unreadable:,} records are no decisions that this version can read; they were left out"
        print(f"{names(plan).decisions}: {what}", file=sys.stderr)
    return 0


def chosen(found: History, knob: str | None, *, every: bool) -> Sequence[Told]:
    """Those to be shown. Raises UsageError for a knob that nothing was decided about, while there are others."""
    if knob is not None and found.knobs and knob not in found.knobs:
        begun = [name for name in found.knobs if name.startswith(knob)]
        if len(begun) == 1:
            return chosen(found, begun[0], every=every)
        near = nearest(knob, found.knobs)
        meant = f" (did you mean {near}?)" if near else ""
        raise UsageError(f"--knob {knob}: nothing was decided about it, but about {', '.join(found.knobs)}{meant}")
    return list(found.all(knob)) if every else found.newest(knob)


def none_yet(plan: Plan, called: str) -> str:
    """What to say where there is no decision."""
    return (
        f"{plan.name}: no decisions in the last 14 days. The autopilot is off unless it is asked for: "
        f"lepton-stream run {called} --autopilot advise (or act); its first decision takes it some seconds of work"
    )


def texts_of(told: Sequence[Told]) -> Iterator[str]:
    """The lines for people, an empty one between two decisions. Names of others' choosing cannot steer the terminal."""
    for i, one in enumerate(told):
        yield "\n" if i else ""
        head, *rest = one.decision.lines()
        when = datetime.fromtimestamp(one.time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        yield f"{printable(head)}\n"
        yield f"  decided    {when} by {printable(one.worker) or 'a worker without a name'}\n"
        for line in rest:
            yield f"{printable(line)}\n"


def _json(told: Told) -> str:
    return json_line(document_of(told))
