"""A run in this process, over files or records at hand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import orjson

from lepton_stream.api.rows import Row, Run
from lepton_stream.core import Route
from lepton_stream.errors import UsageError
from lepton_stream.formats.dead_letters import DeadLetter, to_line
from lepton_stream.models.events import Events
from lepton_stream.pipeline.plan import Plan
from lepton_stream.runtime.local import Bury, InputGiven, LocalRun, Options, Tell

DeadLettersTo: TypeAlias = str | Path | Callable[[DeadLetter], None] | None
EventsTo: TypeAlias = str | Path | Callable[[Row], None] | None


def run(
    plan: Plan,
    given: InputGiven,
    *,
    partitions: int | None = None,
    route: Route = "partials",
    dead_letters: DeadLettersTo = None,
    events: EventsTo = None,
) -> Run:
    """Run a frozen plan without a broker, such as `load("iot/air_quality")`; see `Pipeline.run`."""
    stdin = getattr(sys.stdin, "buffer", None)  # a notebook has none
    bury, tell = _burial(dead_letters), _telling(plan, events)
    options = Options(partitions=partitions, route=route, bury=bury, tell=tell, stdin=stdin)
    local = LocalRun(plan, given, options)
    return Run((row for batch in local for row in batch.rows()), lambda: local.account, local.stats)


def _burial(to: DeadLettersTo) -> Bury:
    if to is None:
        return Options().bury
    if callable(to):

        def hand_over(letters: Sequence[DeadLetter]) -> None:
            for letter in letters:
                to(letter)

        return hand_over
    path = Path(to)
    path.write_bytes(b"")

    def append(letters: Sequence[DeadLetter]) -> None:
        with path.open("ab") as file:
            file.writelines(to_line(letter) for letter in letters)

    return append


def _telling(plan: Plan, to: EventsTo) -> Tell:
    if to is None:
        return Options().tell
    if not plan.in_order:
        raise UsageError(f"run: events: {plan.name} has no model or alarm that could say anything")
    if callable(to):

        def hand_over(batches: Sequence[Events]) -> None:
            for batch in batches:
                for row in batch.rows():
                    to(row)

        return hand_over
    path = Path(to)
    path.write_bytes(b"")

    def append(batches: Sequence[Events]) -> None:
        with path.open("ab") as file:
            file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for b in batches for row in b.rows())

    return append
