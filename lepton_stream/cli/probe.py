"""`lepton-stream probe`: the health check of a container, and how a script waits for a worker."""

from __future__ import annotations

import os
import time
from enum import StrEnum
from typing import Annotated

import typer

from lepton_stream import clock
from lepton_stream.errors import UnhealthyError, UsageError
from lepton_stream.telemetry.address import VARIABLE, address_of
from lepton_stream.telemetry.asking import ask

ANSWER_SECONDS = 5.0
PAUSE_SECONDS = 0.25


class ProbeChoice(StrEnum):
    """What is asked."""

    LIVE = "live"
    READY = "ready"


Which = Annotated[ProbeChoice, typer.Argument(metavar="live|ready", help="What to ask.")]
Where = Annotated[
    str | None,
    typer.Option(
        "--metrics", metavar="HOST:PORT|PORT", help=f"Where `run` serves it; left out: ${VARIABLE}, else 9577."
    ),
]
Wait = Annotated[float, typer.Option(metavar="S", min=0, help="Ask again for so many seconds until the answer is yes.")]


def probe(which: Which = ProbeChoice.LIVE, metrics: Where = None, wait: Wait = 0.0) -> None:
    """Ask a running `run` whether it is live, or ready; ends with 7 and the reasons if not.

    The health check of a container: lepton-stream probe live

    After a restart: lepton-stream probe ready --wait 60
    """
    address, _ = address_of(metrics, os.environ)
    if address is None:
        raise UsageError("probe: nothing is served where metrics are off; name the port with --metrics")
    until = clock.elapsed_s() + wait
    while not (answer := ask(address, which.value, ANSWER_SECONDS)).ok:
        if clock.elapsed_s() >= until:
            raise UnhealthyError(f"not {which.value}: {'; '.join(answer.reasons)}")
        time.sleep(PAUSE_SECONDS)
    print(f"{which.value}: yes")
