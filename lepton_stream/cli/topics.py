"""`lepton-stream topics`: the topics of a pipeline, planned, created, checked."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import orjson
import typer

from lepton_stream.cli.kafka_options import takes_connection
from lepton_stream.cli.pipeline_name import PipelineName
from lepton_stream.errors import IntegrityError
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.source import find
from lepton_stream.printable import printable
from lepton_stream.runtime.kafka.admin import Admin
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.provision import Survey, apply, survey
from lepton_stream.topics.contract import value_text
from lepton_stream.topics.difference import Step, differs

app = typer.Typer(help="Plan, create and check the topics of a pipeline.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would be done, and do nothing.")]

WORDS = {"create": "create", "set": "set", "grow": "add", "wrong": "WRONG", "refused": "REFUSED", "unknown": "unknown"}


@app.command("plan")
@takes_connection
def plan_command(connection: Connection, pipeline: PipelineName, as_json: AsJson = False) -> None:
    """Tell what `apply` would create and change, and what is wrong. Changes nothing.

    For example: lepton-stream topics plan iot/air_quality --broker localhost:9092
    """
    plan = find(pipeline)
    seen = asyncio.run(_surveyed(connection, plan))
    _tell(plan, seen.steps, as_json=as_json, good="all topics are as they should be")


@app.command("apply")
@takes_connection
def apply_command(
    connection: Connection, pipeline: PipelineName, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Create what is missing and change what differs; a second time nothing is left to do.

    Ends with 5 where something is left that only a person can mend.

    For example: lepton-stream topics apply iot/air_quality --broker localhost:9092
    """
    plan = find(pipeline)
    if dry_run:
        seen = asyncio.run(_surveyed(connection, plan))
        _tell(plan, seen.steps, as_json=as_json, good="nothing to do")
        return
    steps = asyncio.run(_applied(connection, plan))
    _tell(plan, steps, as_json=as_json, good="nothing to do")
    if left := [s for s in steps if s.action == "wrong"]:
        raise IntegrityError(
            f"{plan.name}: {_count(len(left), 'difference')} cannot be mended from here; see the lines above"
        )


@app.command("check")
@takes_connection
def check_command(connection: Connection, pipeline: PipelineName, as_json: AsJson = False) -> None:
    """Hold the cluster against the contracts; ends with 5 where it differs. Changes nothing.

    For example: lepton-stream topics check iot/air_quality --broker localhost:9092
    """
    plan = find(pipeline)
    seen = asyncio.run(_surveyed(connection, plan))
    _tell(plan, seen.steps, as_json=as_json, good=f"all {len(seen.contracts)} topics are as they should be")
    if differs(seen.steps):
        found = sum(s.action != "unknown" for s in seen.steps)
        remedy = f"lepton-stream topics apply {pipeline}"
        raise IntegrityError(f"{plan.name}: {_count(found, 'difference')} from the contracts; to mend: {remedy}")


async def _surveyed(connection: Connection, plan: Plan) -> Survey:
    async with Admin(connection) as admin:
        return await survey(plan, admin)


async def _applied(connection: Connection, plan: Plan) -> list[Step]:
    async with Admin(connection) as admin:
        return await apply(plan, admin)


def _tell(plan: Plan, steps: Sequence[Step], *, as_json: bool, good: str) -> None:
    if as_json:
        document = {"pipeline": plan.name, "differs": differs(steps), "steps": [asdict(s) for s in steps]}
        sys.stdout.write(orjson.dumps(document).decode() + "\n")
        return
    for step in steps:
        print(printable(line_of(step)))
    if not differs(steps):
        print(f"{plan.name}: {good}")


def line_of(step: Step) -> str:
    """`set lepton.x.state retention.ms: 7 d -> no limit`."""
    what = f" {step.what}" if step.what else ""
    found, wanted = (value_text(step.what, v) for v in (step.found, step.wanted))
    change = f": {found} -> {wanted}" if found else f": {wanted}" if wanted else ""
    note = f"  ({step.note})" if step.note else ""
    return f"{WORDS[step.action]} {step.topic}{what}{change}{note}"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
