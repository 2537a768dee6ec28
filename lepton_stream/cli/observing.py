"""What a run shows of itself besides its results: metrics, probes, and the form of its log."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

import typer

from lepton_stream import clock
from lepton_stream._version import __version__
from lepton_stream.telemetry.address import DEFAULT_HOST, DEFAULT_PORT, VARIABLE, Address, address_of
from lepton_stream.telemetry.catalogue import METRICS_SERVED
from lepton_stream.telemetry.cost import Prices
from lepton_stream.telemetry.facts import tell
from lepton_stream.telemetry.logs import set_up
from lepton_stream.telemetry.pipe import Sender
from lepton_stream.telemetry.server import MetricsServer
from lepton_stream.telemetry.tally import Tally

PANEL = "Observing"
LOG_VARIABLE = "LEPTON__LOG_FORMAT"


class LogChoice(StrEnum):
    """For people, or one JSON object a line."""

    TEXT = "text"
    JSON = "json"


MetricsTo = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="HOST:PORT|PORT|off",
        rich_help_panel=PANEL,
        help="Where /metrics, /live and /ready are served; left out: "
        f"${VARIABLE}, else {DEFAULT_HOST}:{DEFAULT_PORT} on Kafka and nothing over files.",
    ),
]
LogAs = Annotated[
    LogChoice,
    typer.Option("--log-format", envvar=LOG_VARIABLE, rich_help_panel=PANEL, help="JSON: one object a line on stderr."),
]


@dataclass(frozen=True, slots=True)
class Observing:
    """`metrics`: where to serve, None: nowhere. `said`: somebody asked for it. `tell_fd`: the pipe to our parent.

    `prices`: of the machines, for what is said about cost.
    """

    metrics: Address | None
    said: bool
    log_format: LogChoice
    tell_fd: int | None = None
    prices: Prices = field(default_factory=Prices)


def observing(
    metrics: str | None,
    log_format: LogChoice,
    worker: int | None,
    tell_fd: int | None,
    prices: Prices = Prices(),  # noqa: B008  (frozen)
    **about: Any,
) -> Observing:
    """Set up the log, and read where metrics go. A crew's workers tell their parent, which serves for all."""
    in_crew = {} if worker is None else {"worker": worker}
    set_up(log_format.value, clock=clock.elapsed_s, about={**about, **in_crew}, secrets=secrets_in(os.environ))
    if worker is not None:
        return Observing(None, said=False, log_format=log_format, tell_fd=tell_fd, prices=prices)
    address, said = address_of(metrics, os.environ)
    return Observing(address, said, log_format, prices=prices)


def secrets_in(environ: Mapping[str, str]) -> list[str]:
    """Values of our variables that are secrets."""
    return [v for name, v in environ.items() if name.startswith("LEPTON__") and name.endswith(("PASSWORD", "TOKEN"))]


@contextmanager
def served(asked: Observing, pipeline: str, workers: int) -> Iterator[MetricsServer | None]:
    """A server that answers, or None where none was asked for. Raises UsageError for a port that cannot be had."""
    if asked.metrics is None:
        yield None
        return
    tally = Tally(clock.elapsed_s, range(workers))
    with MetricsServer(asked.metrics, tally, pipeline, __version__, asked.prices) as server:
        tell(METRICS_SERVED, url=server.url)
        yield server


@contextmanager
def telling_parent(fd: int | None) -> Iterator[Sender | None]:
    """A worker's line to its parent, if it has one."""
    if fd is None:
        yield None
        return
    sender = Sender(fd)
    try:
        yield sender
    finally:
        sender.close()
