"""What the command line asks of a run on a broker."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from lepton_stream.cli.autopilot_options import Tuning
from lepton_stream.cli.observing import Observing
from lepton_stream.core import Route
from lepton_stream.memory.budget import Budget
from lepton_stream.pipeline.plan import Plan
from lepton_stream.runtime.kafka.connect import Connection


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asked for.

    `connection` None: the embedded broker. `options`: the broker's options but for its address, for the crew's command
    lines. `run`: the name of a run with an end. `worker`: we are one of a crew. `observing`: what is shown of the run
    besides its results. `memory`: what each worker may hold. `tuning`: how the work is gone about.
    """

    plan: Plan
    pipeline: str
    connection: Connection | None
    options: tuple[str, ...]
    inputs: tuple[str, ...]
    output: str | None
    events: str | None
    stats: Path | None
    workers: int
    run: str | None
    route: Route
    static_id: str | None
    worker: int | None
    quiet: bool
    observing: Observing
    memory: Budget
    tuning: Tuning

    @property
    def instance(self) -> str | None:
        """Our static member id."""
        return f"{self.static_id}-{self.worker or 0}" if self.static_id else None

    @property
    def called(self) -> str:
        """By which name people know this worker; the same after a restart."""
        return self.instance or f"{socket.gethostname()}-{self.worker or 0}"
