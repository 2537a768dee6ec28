"""`lepton-stream bench autopilot`: what the autopilot is worth on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from lepton_stream.bench.autopilot import STATIC, WORKLOADS, Asked, compared, constant, shifted
from lepton_stream.bench.autopilot_report import autopilot_lines
from lepton_stream.bench.machine import facts
from lepton_stream.cli.bench_telling import AsJson, Quick, RecordTo, Runs, give, progress, through_broker, typed
from lepton_stream.cli.kafka_options import takes_options


class SteerPart(StrEnum):
    """What of it is measured."""

    COMPARE = "compare"
    SHIFT = "shift"
    CONSTANT = "constant"


@takes_options
def autopilot_command(
    broker: Mapping[str, str | None],
    part: Annotated[
        list[SteerPart] | None, typer.Option(help="Only this; may be given several times. A shift needs compare.")
    ] = None,
    rate: Annotated[float, typer.Option(min=100, help="Events a second.", metavar="N")] = 20_000.0,
    seconds: Annotated[float, typer.Option(min=5, help="How long each run is measured.", metavar="S")] = 40.0,
    runs: Runs = 3,
    minutes: Annotated[float, typer.Option(min=0.2, help="How long the constant run takes.", metavar="N")] = 10.0,
    objective: Annotated[int, typer.Option(min=1, help="objective.freshness_p99, in ms.", metavar="MS")] = 1000,
    quick: Quick = False,
    as_json: AsJson = False,
    record: RecordTo = None,
) -> None:
    """Measure the autopilot against static routes and flush intervals: few keys, a million, and one hot key of them.

    Then a shift from one to the next, and how often it decides while nothing changes. Without --broker (or
    $KAFKA_BOOTSTRAP) a checkout starts an Apache Kafka of its own. Takes two hours.

    For example: lepton-stream bench autopilot

    A look: lepton-stream bench autopilot --quick

    Moves alone: lepton-stream bench autopilot --part constant --minutes 60
    """
    where, parts = facts(typed()), set(part or SteerPart)
    asked = Asked(rate, seconds=seconds, runs=runs, minutes=minutes, objective_s=objective / 1000)
    if quick:
        asked = Asked(3000.0, 10.0, 10.0, 1, 0.5, asked.objective_s, (STATIC[0], STATIC[-1]))
    told: dict[str, Any] = {**where, "rate": asked.rate, "settle_s": asked.settle_s, "seconds": asked.seconds}
    told["objective_s"] = asked.objective_s
    with progress() as tell, through_broker(broker, tell) as through:
        if SteerPart.COMPARE in parts:
            told["workloads"] = compared(through, asked, list(WORKLOADS))
            if SteerPart.SHIFT in parts:
                told["shift"] = shifted(through, asked, best_costs(told["workloads"]))
        if SteerPart.CONSTANT in parts:
            told["constant"] = constant(through, asked, "hot key")
    give("autopilot", told, autopilot_lines(told), as_json=as_json, to=record)


def best_costs(workloads: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Of the best static way on each workload, CPU seconds a million events."""
    return {
        name: float(found["ways"][found["best"]]["cpu_seconds_per_million"]["median"])
        for name, found in workloads.items()
    }
