"""`lepton-stream check`: is a pipeline usable, and what does it do?"""

from __future__ import annotations

import sys
from typing import Annotated

import orjson
import typer

from lepton_stream.cli.pipeline_name import MaybePipelineName
from lepton_stream.pipeline.plan_hash import plan_hash
from lepton_stream.pipeline.schema import schema_text
from lepton_stream.pipeline.show import describe
from lepton_stream.pipeline.source import find
from lepton_stream.pipeline.to_dict import to_dict


def check(
    pipeline: MaybePipelineName = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole plan as one JSON document.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of the TOML instead.")] = False,
) -> None:
    """Read a pipeline, tell everything that is wrong with it at once, or what it does.

    A shipped one: lepton-stream check iot/air_quality

    Your own, for programs: lepton-stream check my.toml --json

    For an editor's completion: lepton-stream check --schema
    """
    if schema:
        sys.stdout.write(schema_text().decode())
        return
    if pipeline is None:
        raise typer.BadParameter("name a pipeline, or ask for --schema", param_hint="PIPELINE")
    plan = find(pipeline)
    if as_json:
        sys.stdout.write(orjson.dumps({**to_dict(plan), "hash": plan_hash(plan)}).decode() + "\n")
        return
    for line in describe(plan):
        print(line)
    print(f"{plan.name}: good (plan {plan_hash(plan)})")
