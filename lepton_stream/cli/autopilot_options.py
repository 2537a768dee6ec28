"""The options that say how a run goes about its work, and whether the autopilot may turn that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar

import typer

from lepton_stream.autopilot.mode import Mode
from lepton_stream.autopilot.placing import Strategy
from lepton_stream.cli.kafka_options import in_place_of_first
from lepton_stream.errors import UsageError
from lepton_stream.pipeline.durations import parse_duration

P = ParamSpec("P")
T = TypeVar("T")

MOST_FLUSH_S = 10.0


class ModeChoice(StrEnum):
    """What the autopilot may do."""

    OFF = "off"
    ADVISE = "advise"
    ACT = "act"


class PlacementChoice(StrEnum):
    """How partitions are spread over workers."""

    EQUAL = "equal"
    LOAD = "load"


@dataclass(frozen=True, slots=True)
class Tuning:
    """`flush_s`: seconds that a claim waits for more records behind its first one, to begin with; None: by the plan.

    `placement`: of partitions over workers.
    """

    autopilot: Mode = "off"
    flush_s: float | None = None
    placement: Strategy = "equal"


WANTED = {
    "autopilot": Annotated[
        ModeChoice | None,
        typer.Option(
            "--autopilot",
            metavar="off|advise|act",
            help="Kafka: let what is measured decide about routes, flushes and codecs, or only advise; left out: off.",
        ),
    ],
    "flush_interval": Annotated[
        str | None,
        typer.Option(
            "--flush-interval",
            metavar="TIME",
            help="Kafka: how long what has come waits for more, unless a window may close; left out: 200ms where only "
            "final results of windows are told, else 0ms. With --autopilot act only the beginning.",
        ),
    ],
    "placement": Annotated[
        PlacementChoice | None,
        typer.Option(
            "--placement",
            metavar="equal|load",
            help="Kafka: as many partitions for each worker, or by measured load (docs/placement.md); left out: equal.",
        ),
    ],
}


def takes_tuning(command: Callable[Concatenate[Tuning, P], T]) -> Callable[..., T]:
    """A command whose first parameter is the tuning, as one with its options in its place. Raises UsageError."""
    return in_place_of_first(command, WANTED, _tuning)


def _tuning(given: dict[str, Any]) -> Tuning:
    choice: ModeChoice | None = given["autopilot"]
    placement: PlacementChoice | None = given["placement"]
    return Tuning(
        "off" if choice is None else choice.value,
        _seconds(given["flush_interval"]),
        "equal" if placement is None else placement.value,
    )


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = parse_duration(text) / 1e6
    except ValueError as error:
        raise UsageError(f"--flush-interval {text}: {error}") from None
    if seconds > MOST_FLUSH_S:
        raise UsageError(f"--flush-interval {text}: expects at most {MOST_FLUSH_S:g}s, since what comes waits as long")
    return seconds
