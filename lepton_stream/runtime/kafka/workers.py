"""Several workers of one pipeline on this machine: processes that end with their parent and are started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lepton_stream import clock
from lepton_stream.errors import BrokerError, LeptonError
from lepton_stream.runtime.kafka.crew_telling import CrewTelling
from lepton_stream.runtime.kafka.embedded import die_with_parent
from lepton_stream.telemetry.catalogue import WORKER_ENDED
from lepton_stream.telemetry.facts import tell

RESTART_SECONDS = 1.0
MOST_RESTARTS = 20
"""In a row, each before the worker has settled: a service may crash now and then for years.

Whom somebody kills, or whose broker is away, does not crash: such a worker is started again for as long as it takes.
"""
SETTLED_SECONDS = 10.0
STOP_SECONDS = 45.0
FINAL = frozenset({2, 3, 5, 6, 8, 9})
"""Exit codes that another start would only repeat: wrong usage, plan, log, input, memory, a twin under our id."""


class WorkerError(LeptonError):
    """A worker ended for good; it has told why. `crashes`: how often, if it was started again and again."""

    def __init__(self, number: int, code: int, crashes: int = 1) -> None:
        again = f" for the {crashes}th time in a row" if crashes > 1 else ""
        super().__init__(f"worker {number} ended with exit code {code}{again}; it has told why above")
        self.exit_code = code  # type: ignore[misc]  # the worker's own


@dataclass(frozen=True, slots=True)
class Crew:
    """How many workers, and the command line that each is started with (its number is added).

    `telling`: hears what they say of themselves, None: nobody does.
    """

    count: int
    command: Sequence[str]
    say: Callable[[str], None]
    telling: CrewTelling | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until every worker has ended well, or `stop` is set. Raises WorkerError."""
        tasks = [asyncio.create_task(self._keep(number, stop)) for number in range(self.count)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, number: int, stop: asyncio.Event) -> None:
        """One worker, started again when it crashes."""
        crashes = 0
        while True:
            began = clock.elapsed_s()
            code = await self._one(number, stop)
            if code == 0 or stop.is_set():
                return
            if code in FINAL:
                raise WorkerError(number, code)
            if clock.elapsed_s() - began > SETTLED_SECONDS:
                crashes = 0
            crashes += code > 0 and code != BrokerError.exit_code
            if crashes == MOST_RESTARTS:
                raise WorkerError(number, code, crashes)
            how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            self.say(f"worker {number} ended {how}; starting it again")
            tell(WORKER_ENDED, worker=number, exit_code=code, again=True)
            if self.telling is not None:
                self.telling.restarted()
            await asyncio.sleep(RESTART_SECONDS)

    async def _one(self, number: int, stop: asyncio.Event) -> int:
        process, hearing = await self._started(number)
        ended, stopped = asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                process.send_signal(signal.SIGTERM)
                await asyncio.wait([ended], timeout=STOP_SECONDS)
        finally:
            stopped.cancel()
            if process.returncode is None:
                process.kill()
            await ended
            await asyncio.gather(*hearing, return_exceptions=True)  # to its last word: the pipe ends with the process
        return ended.result()

    async def _started(self, number: int) -> tuple[asyncio.subprocess.Process, list[asyncio.Task[None]]]:
        """A worker, and the task that hears it."""
        command = [sys.executable, "-m", "lepton_stream", *self.command, "--worker", str(number)]
        if self.telling is None:
            return await asyncio.create_subprocess_exec(*command, preexec_fn=die_with_parent), []
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *command, "--tell-fd", str(writing), pass_fds=(writing,), preexec_fn=die_with_parent
            )
        finally:
            os.close(writing)
        return process, [asyncio.create_task(self.telling.listen(number, reading))]
