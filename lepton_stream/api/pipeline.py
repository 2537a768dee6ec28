"""The pipeline that runs: the builder, with the runtimes behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, overload

from lepton_stream.api.local import DeadLettersTo, EventsTo, run
from lepton_stream.api.on_broker import OnBroker, run_on_broker
from lepton_stream.api.results import Begin, Results, results
from lepton_stream.api.rows import Row, Run
from lepton_stream.core import Route
from lepton_stream.errors import UsageError
from lepton_stream.pipeline import builder
from lepton_stream.pipeline.to_toml import to_toml
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.local import InputGiven

Broker: TypeAlias = str | Connection
Files: TypeAlias = str | Path | Sequence[str | Path]
T = TypeVar("T")


class Pipeline(builder.Pipeline):
    """A pipeline written in Python; the same plan as its TOML.

    Each method returns a new pipeline; `plan` checks and freezes it, `run` carries it out, `results` reads what it has
    published.
    """

    @overload
    def run(
        self,
        input: InputGiven,
        *,
        partitions: int | None = None,
        route: Route = "partials",
        dead_letters: DeadLettersTo = None,
        events: EventsTo = None,
    ) -> Run: ...

    @overload
    def run(
        self,
        input: Files | None = None,
        *,
        broker: Broker,
        events: EventsTo = None,
        workers: int = 1,
        until_end: bool = False,
        create_topics: bool = False,
        route: Route = "partials",
    ) -> Run: ...

    def run(
        self,
        input: InputGiven | None = None,  # noqa: A002  (the word of the command line)
        *,
        broker: Broker | None = None,
        partitions: int | None = None,
        dead_letters: DeadLettersTo = None,
        events: EventsTo = None,
        workers: int = 1,
        until_end: bool = False,
        create_topics: bool = False,
        route: Route = "partials",
    ) -> Run:
        """Run over data at hand in this process (`input`), or on Kafka (`broker`).

        `input`: a file or several (JSON lines or CSV, see `.file`), or an iterable of records (mappings, JSON text or
        bytes). `partitions`: split by key as a topic with so many partitions would. `dead_letters`: a file for the
        rejected records, or a function that takes each; `events`: the same for what models say. Nothing is read before
        the first result is asked for.

        `broker`: "host:port", a `Connection`, or "embedded" for a development broker that takes `input` files. Blocks:
        until Ctrl-C, or, with `until_end`, until all that the topics hold is counted. `workers`: processes.
        `create_topics`: make the topics that are missing. If the run has an end it gives the newest results, and
        `events` takes all that their topic holds.

        Raises UsageError, PlanError, BrokerError, IntegrityError.
        """
        if broker is None:
            if input is None:
                raise UsageError('run: nothing to read from: give input="events.jsonl" or broker="localhost:9092"')
            if workers != 1 or until_end or create_topics:
                raise UsageError("run: workers, until_end and create_topics are for runs on Kafka: give broker= too")
            apart: dict[str, Any] = {"dead_letters": dead_letters, "events": events}
            return run(self.plan, input, partitions=partitions, route=route, **apart)
        if partitions is not None or dead_letters is not None:
            raise UsageError(
                "run: partitions and dead_letters are for runs without a broker; on Kafka dead letters are in their "
                "topic: lepton-stream dlq show PIPELINE"
            )
        asked = OnBroker(broker, _files(input), workers, until_end, create_topics, route, events)
        return run_on_broker(self.plan, asked)

    @overload
    def results(self, broker: Broker, *, follow: bool = False, begin: Begin = "start") -> Results[Row]: ...

    @overload
    def results(self, broker: Broker, *, follow: bool = False, begin: Begin = "start", into: type[T]) -> Results[T]: ...

    def results(
        self, broker: Broker, *, follow: bool = False, begin: Begin = "start", into: type[T] | None = None
    ) -> Results[Row] | Results[T]:
        """The results that the pipeline has published on Kafka: see `Results`."""
        if into is None:
            return results(self.plan, broker, follow=follow, begin=begin)
        return results(self.plan, broker, follow=follow, begin=begin, into=into)

    def to_toml(self) -> str:
        """The same pipeline as TOML, every default written out. Raises PlanError."""
        return to_toml(self.plan)


def _files(given: InputGiven | None) -> list[str]:
    """Paths only: a broker is fed from files."""
    if given is None:
        return []
    if isinstance(given, str | Path):
        return [str(given)]
    listed = list(given)
    if not all(isinstance(one, Path) or (isinstance(one, str) and "{" not in one) for one in listed):
        raise UsageError("run: with a broker, input names files; records at hand go without one")
    return [str(one) for one in listed]
