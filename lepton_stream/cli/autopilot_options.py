"""The option that lets the autopilot decide how a run is carried out."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar

import typer

from lepton_stream.autopilot.mode import Mode
from lepton_stream.cli.kafka_options import in_place_of_first

P = ParamSpec("P")
T = TypeVar("T")


class ModeChoice(StrEnum):
    """What the autopilot may do."""

    OFF = "off"
    ADVISE = "advise"
    ACT = "act"


WANTED = {
    "autopilot": Annotated[
        ModeChoice | None,
        typer.Option(
            "--autopilot",
            metavar="off|advise|act",
            help="Kafka: let what is measured decide about routes, flushes and codecs, or only advise; left out: off.",
        ),
    ]
}


def takes_autopilot(command: Callable[Concatenate[Mode, P], T]) -> Callable[..., T]:
    """A command whose first parameter is the autopilot's mode, as one with the option in its place."""
    return in_place_of_first(command, WANTED, _mode)


def _mode(given: dict[str, Any]) -> Mode:
    choice: ModeChoice | None = given["autopilot"]
    return "off" if choice is None else choice.value
