"""`lepton-stream tail`: results as they come."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated, Any, Protocol

import orjson
import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from lepton_stream import clock
from lepton_stream.cli.destinations import SIGPIPE, abandon_stdout
from lepton_stream.cli.kafka_options import takes_connection
from lepton_stream.errors import UsageError
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.source import find
from lepton_stream.runtime.kafka.board import Board
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.tail import Quiet, bounds_of, follow


class Show(Protocol):
    """Where results go."""

    def __call__(self, rows: Sequence[dict[str, Any]]) -> None:
        """Show them; called for every look, with none too."""
        ...


@takes_connection
def tail(
    connection: Connection,
    pipeline: Annotated[
        str, typer.Argument(help="A shipped name (iot/air_quality), a TOML file, or module:object.")
    ],
    from_start: Annotated[bool, typer.Option("--from-start", help="Everything that the topic holds.")] = False,
    last: Annotated[int, typer.Option(min=0, help="Begin with the last N records.", metavar="N")] = 0,
    until_quiet: Annotated[
        float | None, typer.Option(min=0, help="Leave when nothing came for S seconds.", metavar="S")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, on a terminal too.")] = False,
) -> int:
    """Show results as they are published, each in its newest version: a table on a terminal, else JSON lines.

    For example: lepton-stream tail iot/air_quality --last 20, or: ... tail my.toml --from-start --until-quiet 2 > out.jsonl
    """
    if from_start and last:
        raise UsageError("--from-start and --last: give one of them")
    topic = names(find(pipeline)).results
    console = Console()
    with ExitStack() as screen:
        show: Show = _Lines() if as_json or not console.is_terminal else _Screen(topic, console, screen)
        try:
            asyncio.run(_tail(connection, topic, None if from_start else last, until_quiet, show))
        except BrokenPipeError:  # whoever read our results has left
            abandon_stdout()
            return SIGPIPE
    return 0


async def _tail(connection: Connection, topic: str, last: int | None, until_quiet: float | None, show: Show) -> None:
    """`last`: None for everything."""
    bounds = await bounds_of(connection, topic)
    starts = bounds.from_start() if last is None else bounds.from_last(last)
    board, ahead = Board(), Ahead(last or 0, dict(bounds.ends))
    async for records in follow(connection, starts, Quiet(until_quiet, bounds.ends, clock.elapsed_s())):
        news = ((r, board.take(r.key, r.value)) for r in records)
        show(ahead.pass_on([(r, row) for r, row in news if row is not None]))
        if ahead.waiting and clock.elapsed_s() - ahead.since > 1.0:
            show(ahead.let_go())
    show(ahead.let_go())


class Ahead:
    """With `--last N`: holds back what was there at the start until it can tell which N records are the last."""

    def __init__(self, last: int, ends: dict[Any, int]) -> None:
        self._last, self._ends = last, ends
        self._held: list[tuple[int, int, int, dict[str, Any]]] = []
        self.waiting = last > 0
        self.since = clock.elapsed_s()

    def pass_on(self, news: Sequence[tuple[Any, dict[str, Any]]]) -> list[dict[str, Any]]:
        """What can be shown now."""
        if not self.waiting:
            return [row for _, row in news]
        self._held += [(r.timestamp, r.partition, r.offset, row) for r, row in news]
        return []

    def let_go(self) -> list[dict[str, Any]]:
        """The last N, by the time they were published."""
        self.waiting = False
        held, self._held = sorted(self._held, key=lambda h: h[:3]), []
        return [row for *_, row in held[-self._last :]] if self._last else []
