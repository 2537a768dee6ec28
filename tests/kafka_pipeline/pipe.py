"""One pipeline under names of its own: the installed command on it, and what the broker holds of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from aiokafka.protocol.admin import DescribeGroupsRequest

from lepton_stream.chunk import SourcePartition
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.toml_front import load
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.group import Group
from lepton_stream.runtime.kafka.limits import Limits
from lepton_stream.runtime.kafka.logs import Logs
from lepton_stream.runtime.kafka.view import Seen, View
from lepton_stream.runtime.kafka.wire import Coordinator, Wire
from tests.acceptance.commands import lines, run, start
from tests.data import planted
from tests.kafka_pipeline.topic_reader import Stored, read_topic

PLANTED = Path(planted.__file__).with_suffix(".toml")
PARTITIONS = 4
SESSION = "2"
T = TypeVar("T")
_made = iter(range(1_000_000))


def until(holds: Callable[[], T | None], seconds: float, what: str, every: float = 0.02) -> T:
    """The first true value of `holds`, looked at again and again."""
    deadline = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(every)
    return value


def alive(pid: int) -> bool:
    """Whether a process still does something; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class Run:
    """A `run` in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self._log = process, log

    @property
    def workers(self) -> list[int]:
        """The crew's processes that are alive."""
        try:
            text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        except OSError:
            return []
        return [pid for pid in map(int, text.split()) if alive(pid)]

    def wait(self, seconds: float = 60) -> int:
        """The exit code."""
        return self.process.wait(seconds)

    @property
    def said(self) -> str:
        """What it wrote to stderr, its workers' words included."""
        return self._log.read_text()

    def end(self) -> None:
        """End it and its workers for good."""
        for pid in [*self.workers, self.process.pid]:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)


class Done:
    """What a run to the end has left."""

    def __init__(self, folder: Path, said: str, code: int) -> None:
        self.said, self.code = said, code
        self.rows = lines(folder / "out.jsonl")
        self.events = lines(folder / "events.jsonl") if (folder / "events.jsonl").exists() else []
        self.stats: dict[str, Any] = json.loads((folder / "stats.json").read_text())

    @property
    def account(self) -> dict[str, Any]:
        """What was counted, by source partition."""
        return self.stats["sources"] | {"results": self.stats["results"]}


class Pipe:
    """A pipeline file with a name of its own, its topics and its runs."""

    def __init__(self, folder: Path, bootstrap: str, text: str, name: str = "", source: str = "") -> None:
        """`text`: a pipeline named `planted` with the source topic `planted.v1`, or changed from that."""
        self.folder, self.bootstrap = folder, bootstrap
        self.name = name or f"p{os.getpid()}-{next(_made)}"
        self.source = source or f"{self.name}.v1"
        self.path = folder / f"{self.name}.toml"
        self.write(text)
        self.runs: list[Run] = []

    def write(self, text: str) -> None:
        """Make this the plan."""
        text = text.replace('topic = "planted.v1"', f'topic = "{self.source}"')
        self.path.write_text(text.replace('name = "planted"', f'name = "{self.name}"', 1))
        self.plan = load(self.path)
        self.names = names(self.plan)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self.runs:
            one.end()

    # -- commands

    def apply(self) -> None:
        """Create the topics."""
        done = run("topics", "apply", self.path, "--broker", self.bootstrap)
        assert done.returncode == 0, done.stderr

    def feed(self, *files: Path, rate: int | None = None) -> None:
        """Send files into the source topic."""
        done = run(*self._feeding(files, rate))
        assert done.returncode == 0, done.stderr

    def feeding(self, *files: Path, rate: int) -> Run:
        """The same in the background, at a rate."""
        return self._started(self._feeding(files, rate), {})

    def _feeding(self, files: Sequence[Path], rate: int | None) -> list[str]:
        given = [part for f in files for part in ("--input", str(f))]
        return ["feed", str(self.path), *given, "--broker", self.bootstrap, *(["--rate", str(rate)] if rate else [])]

    def run(
        self, *more: str, workers: int = 2, session: str = SESSION, within: Sequence[str] = (), at: str = ""
    ) -> Run:
        """`run` in the background. `within`: words before the command; `at`: another way to the broker."""
        asked = ["run", str(self.path), "--broker", at or self.bootstrap, "--workers", str(workers), *more]
        return self._started(asked, {"LEPTON__KAFKA__SESSION_SECONDS": session}, within)

    def _started(self, asked: Sequence[str], env: dict[str, str], within: Sequence[str] = ()) -> Run:
        log = self.folder / f"log{len(self.runs)}"
        with log.open("wb") as err:
            process = start(*asked, env=env, within=within, stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        self.runs.append(Run(process, log))
        return self.runs[-1]

    def ending(self, *, workers: int = 2) -> Run:
        """A run to the end, in the background."""
        return self.run("--until-end", *self.destinations(), workers=workers)

    def destinations(self) -> list[str]:
        """Where a run to the end writes what `Done` reads."""
        files = ["--output", str(self.folder / "out.jsonl"), "--stats", str(self.folder / "stats.json")]
        return files + (["--events", str(self.folder / "events.jsonl")] if self.plan.in_order else [])

    def done(self, ending: Run, seconds: float = 90) -> Done:
        """What it has left."""
        code = ending.wait(seconds)
        assert code == 0, ending.said
        return Done(self.folder, ending.said, code)

    def to_the_end(self, *, workers: int = 2) -> Done:
        """Run to the end."""
        return self.done(self.ending(workers=workers))

    def refused(self, *more: str, workers: int = 2) -> tuple[int, list[str]]:
        """Exit code and messages of a run that does not work."""
        one = self.run("--until-end", *more, workers=workers)
        return one.wait(60), [line for line in one.said.splitlines() if not line.startswith("WARNING")]

    # -- the broker

    def partitions(self, topic: str, count: int = PARTITIONS) -> list[SourcePartition]:
        """All of a topic's."""
        return [SourcePartition(topic, p) for p in range(count)]

    def look(self) -> Seen:
        """What the group has committed, and how long the logs are."""

        async def look(wire: Wire) -> Seen:
            sources, shuffle = self.partitions(self.names.source), self.partitions(self.names.shuffle)
            logs = Logs(wire, committed_only=True)
            return await View(self.plan, Group(wire, self.names.group), logs, sources, shuffle, Limits()).look()

        return self.ask(look)

    def counted(self) -> int:
        """How many source records are done."""
        seen = self.look()
        return sum(seen.position(tp) for tp in self.partitions(self.source))

    def least_counted(self) -> int:
        """The same of the source partition that is the least far."""
        seen = self.look()
        return min(seen.position(tp) for tp in self.partitions(self.source))

    def ask(self, question: Callable[[Wire], Any]) -> Any:
        """Ask the cluster something."""

        async def asked() -> Any:
            async with Wire(Connection(self.bootstrap)) as wire:
                return await question(wire)

        return asyncio.run(asked())

    def nobody_in_group(self) -> bool:
        """Whether the group is empty."""
        return bool(self.ask(lambda wire: Group(wire, self.names.group).is_empty()))

    def members(self) -> int:
        """How many members the group has; 0 while they find each other."""
        group = self.names.group
        answer = self.ask(lambda wire: wire.coordinated(Coordinator.GROUP, group, DescribeGroupsRequest([group])))
        ((_, _, state, _, _, found),) = (row[:6] for row in answer.groups)
        return len(found) if state == "Stable" else 0

    def stored(self, topic: str) -> list[Stored]:
        """Every record of a topic of ours, by partition and offset."""
        return asyncio.run(read_topic(Connection(self.bootstrap), topic))
