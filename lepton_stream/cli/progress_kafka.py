"""What a person sees of a run on a broker: a line at the start, and how far a run with an end has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.view import Seen

LOOK_S = 1.0


def start_line(outside: Outside, workers: int, *, to_the_end: bool) -> str:
    """Broker, group, workers and topics; of a run with an end, how many records there are to read."""
    names, view = outside.names, outside.view
    who = f"{workers} worker{'s' if workers > 1 else ''} in group {names.group} at {outside.connection.bootstrap}"
    what = f"{names.source} ({len(view.sources)} partitions) to {names.results} ({len(view.shuffle)})"
    left = sum(view.seen.behind(tp) for tp in view.sources)
    end = f"until the end, {left:,} records to read" if to_the_end else "until it is stopped"
    return f"{who}; {what}; {end}"


def done_of(seen: Seen, outside: Outside) -> int:
    """Source offsets that are counted: committed, everything before them is sent and acknowledged."""
    return sum(seen.position(tp) for tp in outside.view.sources)


@asynccontextmanager
async def progress(outside: Outside, *, shown: bool, console: Console | None = None) -> AsyncIterator[None]:
    """While a run with an end goes on: records read of those that were there at the start, on a terminal only.

    It looks at the group by itself, as its workers may be other processes.
    """
    console = console or Console(stderr=True)
    if not shown or not console.is_terminal:
        yield
        return
    name = TextColumn("{task.description}", table_column=Column(max_width=20, no_wrap=True, overflow="ellipsis"))
    told = TextColumn("{task.fields[told]}", table_column=Column(no_wrap=True))
    columns = (SpinnerColumn(), name, BarColumn(bar_width=12), told, TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, refresh_per_second=5) as bar:
        watching = asyncio.create_task(_watch(outside, bar), name="progress")
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def _watch(outside: Outside, bar: Progress) -> None:
    seen = await outside.view.look()
    first = done_of(seen, outside)
    total = sum(seen.ends[tp] for tp in outside.view.sources) - first
    task = bar.add_task(outside.job.plan.name, total=total, told="")
    while True:
        done = done_of(outside.view.seen, outside) - first
        elapsed = bar.tasks[0].elapsed or 0.0
        speed = done / elapsed if elapsed else 0.0
        bar.update(task, completed=done, told=f"{done:,} of {total:,} records  {speed:,.0f}/s")
        await asyncio.sleep(LOOK_S)
        try:
            await outside.view.look()
        except BrokerError:
            continue  # who counts tells what is wrong; this only shows
