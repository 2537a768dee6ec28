"""`lepton-stream doctor`: is everything in order, and what to do where it is not?"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import orjson
import typer

from lepton_stream.cleaning.pseudonyms import Pseudonyms
from lepton_stream.cli.kafka_options import EMBEDDED, connection_of, takes_options
from lepton_stream.cli.pipeline_name import MaybePipelineName
from lepton_stream.doctor.finding import Finding, counts, of_error, ok
from lepton_stream.doctor.machine import judge_budget, judge_machine
from lepton_stream.doctor.plans import judge_plan
from lepton_stream.errors import UnhealthyError, UsageError
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.source import find
from lepton_stream.printable import printable
from lepton_stream.runtime import machine
from lepton_stream.runtime.kafka.checkup import Asked, check
from lepton_stream.runtime.kafka.embedded import embedded
from lepton_stream.runtime.kafka.service import prepared_topics
from lepton_stream.runtime.kafka.timing import timing_of
from lepton_stream.runtime.pseudonym_secret import secret_for


@takes_options
def doctor(
    broker: Mapping[str, str | None],
    pipeline: MaybePipelineName = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Look at this machine, the broker and a pipeline on it: what is in order, what is not, and what to do about it.

    Ends with 7 where something fails. A throw-away topic lepton.doctor.* and group try out the broker and are deleted
    again. Without --broker (or $KAFKA_BOOTSTRAP) no broker is asked; --broker embedded tries the development broker.

    For example: lepton-stream doctor

    A pipeline: lepton-stream doctor iot/air_quality

    A pipeline on its cluster: lepton-stream doctor iot/air_quality --broker localhost:9092
    """
    plan = find(pipeline) if pipeline is not None else None
    findings = [*judge_machine(machine.look()), _budget(plan)]
    findings += [*judge_plan(plan), *_secret(plan)] if plan is not None else []
    findings += asyncio.run(_asked(broker, plan, pipeline or ""))
    if as_json:
        sys.stdout.write(orjson.dumps(document_of(findings)).decode() + "\n")
    else:
        print("\n".join(line for f in findings for line in lines_of(f)))
        print(", ".join(f"{n} {level}" for level, n in counts(findings).items() if n))
    if failing := [f.about for f in findings if f.level == "fail"]:
        several = f"{len(failing)} findings fail" if len(failing) > 1 else f"1 finding fails ({failing[0]})"
        raise UnhealthyError(f"doctor: {several}; do what is told above and look again")


def _budget(plan: Plan | None) -> Finding:
    try:
        return judge_budget(machine.memory_budget(None, os.environ, plan), machine.memory())
    except UsageError as error:
        return of_error("memory budget", error)


def _secret(plan: Plan) -> list[Finding]:
    """Whether a plan with pseudonyms has a secret here; of which one, its tag says as much as a pseudonym does."""
    if not plan.pseudonyms:
        return []
    try:
        secret = secret_for(plan, os.environ)
    except UsageError as error:
        return [of_error("pseudonyms", error)]
    told = f"{', '.join(plan.pseudonyms)} under secret {Pseudonyms(secret or b'').tag}, the same for all workers"
    return [ok("pseudonyms", told)]


async def _asked(options: Mapping[str, str | None], plan: Plan | None, pipeline: str) -> list[Finding]:
    address = options["broker"] or os.environ.get("KAFKA_BOOTSTRAP")
    session_s = timing_of(os.environ).session
    if not address and not any(options.values()):
        return []
    if address == EMBEDDED:
        async with embedded() as connection:
            if plan is not None:
                await prepared_topics(plan, connection)  # as `run` does there
            return await check(Asked(connection, session_s, plan, pipeline))
    return await check(Asked(connection_of(options, os.environ), session_s, plan, pipeline))


def document_of(findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings as plain values; `healthy`: none fails."""
    told = counts(findings)
    return {"healthy": told["fail"] == 0, "counts": told, "findings": [asdict(f) for f in findings]}


def lines_of(finding: Finding) -> list[str]:
    """`warn     clock: ...`, and below it the remedy. Text of the broker's choosing cannot steer the terminal."""
    head = f"{finding.level:<8} {printable(finding.about)}: "
    what = [printable(line) for line in finding.what.split("\n")]
    remedy = [f"           -> {printable(finding.remedy)}"] if finding.remedy else []
    return [head + what[0], *(f"           {line}" for line in what[1:]), *remedy]
