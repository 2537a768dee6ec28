"""A workload in a topic, and runs over it through Kafka, each a new version of the pipeline with topics of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from lepton_stream.bench.command import Command, measured, rows_of, totals_of
from lepton_stream.bench.cores import cores
from lepton_stream.bench.shape import Shape, pipeline
from lepton_stream.bench.stock import Stock, Tell, prepared
from lepton_stream.bench.truth import refuse_wrong
from lepton_stream.runtime.kafka.connect import Connection, from_environment


@dataclass(slots=True)
class Through:
    """What runs through a broker share: its address, a folder for their files, who is told.

    `settings`: environment that says how to log in to it. `kept`: where workloads are, if not in the cache folder.
    Topics have names of their own in each session, so that any cluster may be used again and again.
    """

    address: str
    folder: Path
    tell: Tell
    settings: Mapping[str, str] = field(default_factory=dict)
    kept: Path | None = None
    versions: Iterator[int] = field(default_factory=lambda: count(1))
    _fed: dict[str, tuple[Stock, str]] = field(default_factory=dict)

    @property
    def connection(self) -> Connection:
        """For our own clients."""
        return from_environment({**os.environ, **self.settings}, bootstrap=self.address)

    def beside(self) -> Command:
        """The command on the broker's core."""
        return Command(core=cores()[0], more=self.settings)

    def measured(self, source: Path | None = None, more: Mapping[str, str] | None = None) -> Command:
        """The command on the core of what is measured; `more`: environment."""
        return measured(source, {**self.settings, **(more or {})})

    def fed(self, shape: Shape) -> tuple[Stock, str]:
        """The workload and the topic that holds it, fed once."""
        if shape.name not in self._fed:
            topic, command = f"{shape.name}-{os.getpid()}-{len(self._fed)}", self.beside()
            plan = self.plan(shape, topic)
            command.run("topics", "apply", plan, "--broker", self.address)
            stock = prepared(shape, self.tell, self.kept)
            self.tell(f"feeding {shape.records:,} events")
            command.run("feed", plan, "--broker", self.address, "--input", stock.path, "--quiet")
            self._fed[shape.name] = stock, topic
        return self._fed[shape.name]

    def plan(self, shape: Shape, topic: str) -> Path:
        """A pipeline over the topic in a version that was not used before, so with a group and topics of its own."""
        version = next(self.versions)
        path = self.folder / f"{topic}.{version}.toml"
        path.write_text(pipeline(shape, version, name=topic), encoding="utf-8")
        return path


@dataclass(frozen=True, slots=True)
class Counted:
    """One run to the end of a topic.

    `seconds`, `busy_cpu_seconds`: from the first chunk to the acknowledgement of the last result; `cpu_seconds`: of the
    whole process.
    """

    events: int
    seconds: float
    cpu_seconds: float
    busy_cpu_seconds: float
    stages: dict[str, float]


def to_the_end(through: Through, shape: Shape, route: str = "partials", command: Command | None = None) -> Counted:
    """One worker over the whole topic. Raises LeptonError, IntegrityError where a result is wrong."""
    stock, topic = through.fed(shape)
    plan = through.plan(shape, topic)
    stats, results = through.folder / "totals.json", through.folder / "results.jsonl"
    through.beside().run("topics", "apply", plan, "--broker", through.address)
    worker = command or through.measured()
    files = ("--output", results, "--stats", stats)
    told = ("--until-end", "--route", route, "--metrics", "127.0.0.1:0", "--quiet")
    worker.run("run", plan, "--broker", through.address, *told, *files)
    totals = totals_of(stats)
    refuse_wrong(rows_of(results), totals, stock)
    cpu = totals["cpu_seconds"]
    busy = totals.get("busy_cpu_seconds", cpu)  # a base of `compare` may not know it
    return Counted(totals["read"], totals["busy_seconds"], cpu, busy, totals["stages"])
