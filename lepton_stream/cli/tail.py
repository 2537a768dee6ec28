"""`lepton-stream tail`: results as they come."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

import orjson
import typer
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from lepton_stream import clock
from lepton_stream.cli.destinations import SIGPIPE, abandon_stdout, refuse_silent
from lepton_stream.cli.kafka_options import takes_connection
from lepton_stream.cli.pipeline_name import PipelineName
from lepton_stream.cli.terminal import json_line
from lepton_stream.errors import UsageError
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.source import find
from lepton_stream.printable import printable
from lepton_stream.runtime.kafka.board import Board, Events, LastFew
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.tail import Quiet, bounds_of, follow

_TIMES = ("window_start", "window_end", "event_time")
_ALARM_TIMES = ("since", "until")


class Show(Protocol):
    """Where results go."""

    def __call__(self, rows: Sequence[dict[str, Any]]) -> None:
        """Show them; called for every look, with none too."""
        ...


@takes_connection
def tail(
    connection: Connection,
    pipeline: PipelineName,
    from_start: Annotated[bool, typer.Option("--from-start", help="Everything that the topic holds.")] = False,
    last: Annotated[int, typer.Option(min=0, help="Begin with the last N records.", metavar="N")] = 0,
    until_quiet: Annotated[
        float | None, typer.Option(min=0, help="Leave when nothing came for S seconds.", metavar="S")
    ] = None,
    events: Annotated[bool, typer.Option("--events", help="Events of models and alarms instead of results.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, on a terminal too.")] = False,
) -> int:
    """Show results as they are published, each in its newest version: a table on a terminal, else JSON lines.

    Live: lepton-stream tail iot/air_quality --last 20

    All there is, into a file: lepton-stream tail iot/air_quality --from-start --until-quiet 2 > results.jsonl

    What models say: lepton-stream tail my.toml --events
    """
    if from_start and last:
        raise UsageError("--from-start and --last: give one of them")
    plan = find(pipeline)
    refuse_silent(plan, events=events)
    topic = names(plan).events if events else names(plan).results
    console = Console()
    with ExitStack() as screen:
        show: Show = _Lines() if as_json or not console.is_terminal else _Screen(topic, console, screen)
        try:
            board = Events() if events else Board()
            asyncio.run(_tail(connection, topic, None if from_start else last, until_quiet, show, board))
        except BrokenPipeError:  # whoever read our results has left
            abandon_stdout()
            return SIGPIPE
    return 0


async def _tail(
    connection: Connection, topic: str, last: int | None, until_quiet: float | None, show: Show, board: Board | Events
) -> None:
    """`last`: None for everything."""
    bounds = await bounds_of(connection, topic)
    starts = bounds.from_start() if last is None else bounds.from_last(last)
    few = LastFew(last) if last else None
    async for look in follow(connection, starts, Quiet(until_quiet, bounds.ends, clock.elapsed_s())):
        taken = (((r.timestamp, r.partition, r.offset), board.take(r.key, r.value)) for r in look.records)
        news = [(place, row) for place, row in taken if row is not None]
        show(few.pass_on(news, caught_up=look.caught_up) if few else [row for _, row in news])
    if board.unreadable:
        what = "events" if isinstance(board, Events) else "results"
        print(f"{topic}: {board.unreadable:,} records are no {what} and were left out", file=sys.stderr)


class _Lines:
    """JSON lines on standard output, handed on at once."""

    def __call__(self, rows: Sequence[dict[str, Any]]) -> None:
        for row in rows:
            sys.stdout.write(json_line(row))
        if rows:
            sys.stdout.flush()


class _Screen:
    """A table of the results that changed last, on a terminal."""

    def __init__(self, topic: str, console: Console, screen: ExitStack) -> None:
        self._topic, self._room = topic, max(console.height - 6, 5)
        self._rows: dict[bytes, dict[str, Any]] = {}
        self._count = 0
        self._live = screen.enter_context(Live(console=console, refresh_per_second=5, transient=False))
        self([])

    def __call__(self, rows: Sequence[dict[str, Any]]) -> None:
        self._count += len(rows)
        for row in rows[-self._room :]:
            identity = identity_of(row)
            self._rows.pop(identity, None)
            self._rows[identity] = row
        for old in list(self._rows)[: -self._room]:
            del self._rows[old]
        self._live.update(table_of(f"{self._topic}: {self._count:,} results", list(self._rows.values())))


def identity_of(row: dict[str, Any]) -> bytes:
    """What makes two results versions of one: all that stands before the window's end, group and start.

    Of an event it is all that it says.
    """
    names = list(row)
    return orjson.dumps([row[name] for name in names[: names.index("window_end") if "window_end" in names else None]])


def table_of(title: str, rows: Sequence[dict[str, Any]]) -> Table:
    """Rows of several window sections have several sets of columns: a cell that a row does not have stays empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(title=title, expand=False)
    for name in columns:
        numeric = any(isinstance(row.get(name), int | float) for row in rows)
        table.add_column(escape(printable(name)), justify="right" if numeric else "left")
    for row in rows:
        times = (*_TIMES, *_ALARM_TIMES) if "change" in row else _TIMES
        table.add_row(*(cell_of(name, row.get(name), times) for name in columns))
    return table


def cell_of(name: str, value: Any, times: Sequence[str] = _TIMES) -> str:
    """Times as UTC, numbers short enough for a column; of the most frequent values value and count."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(cell_of("", item) for item in value)
    if isinstance(value, dict):
        return " ".join(cell_of("", value.get(key)) for key in ("value", "count"))
    if name in times and isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{value:.6g}" if isinstance(value, float) else escape(printable(str(value)))
