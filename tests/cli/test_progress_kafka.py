"""What a person sees of a run on a broker: a line at the start, and progress on a terminal only."""

from __future__ import annotations

import asyncio
import io
from types import SimpleNamespace
from typing import Any

from rich.console import Console

from lepton_stream.chunk import SourcePartition
from lepton_stream.cli.progress_kafka import progress, start_line
from lepton_stream.runtime.kafka.group import Committed
from lepton_stream.runtime.kafka.view import Seen

SOURCES = (SourcePartition("events", 0), SourcePartition("events", 1))
ENDS = {SOURCES[0]: 1000, SOURCES[1]: 500}


class Watched:
    """A group that has counted 400 records, and 300 more at each look."""

    def __init__(self) -> None:
        self.sources, self.shuffle = SOURCES, SOURCES
        self.seen, self.looks = Seen({SOURCES[0]: Committed(400, "")}, ENDS), 0
        self.looked = asyncio.Event()

    async def look(self) -> Seen:
        self.looks += 1
        self.seen = Seen({SOURCES[0]: Committed(100 + 300 * self.looks, "")}, ENDS)
        self.looked.set()
        return self.seen


def outside_of(view: Watched) -> Any:
    names = SimpleNamespace(group="lepton.p", source="events", results="lepton.p.results")
    job = SimpleNamespace(plan=SimpleNamespace(name="p"))
    return SimpleNamespace(view=view, names=names, job=job, connection=SimpleNamespace(bootstrap="here:9092"))


def shown_on(console: Console) -> tuple[str, int]:
    view = Watched()

    async def watched() -> None:
        async with progress(outside_of(view), shown=True, console=console):
            if console.is_terminal:
                await view.looked.wait()
                await asyncio.sleep(0)

    asyncio.run(watched())
    return console.file.getvalue(), view.looks  # type: ignore[attr-defined]


def test_the_start_line_tells_broker_group_workers_topics_and_what_there_is_to_read() -> None:
    outside = outside_of(Watched())
    told = "2 workers in group lepton.p at here:9092; events (2 partitions) to lepton.p.results (2); "
    assert start_line(outside, 2, to_the_end=True) == told + "until the end, 1,100 records to read"
    assert start_line(outside, 1, to_the_end=False).startswith("1 worker in group")
    assert start_line(outside, 1, to_the_end=False).endswith("until it is stopped")


def test_progress_counts_from_what_was_done_before_the_run() -> None:
    text, _ = shown_on(Console(file=io.StringIO(), force_terminal=True, width=80))
    assert "0 of 1,100 records" in text


def test_without_a_terminal_nothing_is_shown_and_nobody_is_asked() -> None:
    assert shown_on(Console(file=io.StringIO())) == ("", 0)
