"""A worker that runs until it is stopped, watched from outside: its probe and the CPU that it uses."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from lepton_stream import clock
from lepton_stream.bench.command import Command, Ended, last_words
from lepton_stream.bench.cores import children, cpu_seconds
from lepton_stream.errors import LeptonError

READY_S = 90.0
STOP_S = 30.0
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Service:
    """`lepton-stream run` as a process, its metrics at 127.0.0.1:`port`."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def workers(self) -> list[int]:
        """Process ids of those that work: of a crew its children, else the process itself."""
        return [pid for pid in children(self.process.pid) if cpu_seconds(pid) > 0] or [self.process.pid]

    def cpu_seconds(self) -> float:
        """Of all processes."""
        return sum(map(cpu_seconds, {self.process.pid, *children(self.process.pid)}))

    def refuse_ended(self) -> None:
        """Raises LeptonError with its last words if it has ended."""
        if self.process.poll() is not None:
            said = last_words(self.log)
            raise LeptonError(f"bench: the worker ended with exit code {self.process.returncode}: {said}")

    def asked(self, path: str) -> str | None:
        """What its server answers, None if it does not or is not well."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, OSError):
            return None

    def records_read(self) -> float:
        """Records that its checkpoints hold."""
        return self.sum_of("lepton_records_read_total")

    def sum_of(self, metric: str) -> float:
        """All samples of a metric together, as it tells them now."""
        lines = (self.asked("/metrics") or "").splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{metric}{{"))


@asynccontextmanager
async def serving(command: Command, plan: Path, address: str, log: Path, *more: str) -> AsyncIterator[Service]:
    """A service that is ready; stopped in good order at the end of the block. Raises LeptonError."""
    port = free_port()
    arguments = ("run", plan, "--broker", address, "--metrics", f"127.0.0.1:{port}", *more)
    process = command.start(*arguments, log=log)
    with Ended(process):
        service = Service(process, port, log)
        deadline = clock.elapsed_s() + READY_S
        while await asyncio.to_thread(service.asked, "/ready") is None:
            service.refuse_ended()
            if clock.elapsed_s() > deadline:
                raise LeptonError(f"bench: the worker was not ready after {READY_S:.0f} s; is the machine busy?")
            await asyncio.sleep(LOOK_S)
        yield service
        service.refuse_ended()
        process.send_signal(signal.SIGTERM)
        deadline = clock.elapsed_s() + STOP_S
        while process.poll() is None and clock.elapsed_s() < deadline:
            await asyncio.sleep(LOOK_S)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])
