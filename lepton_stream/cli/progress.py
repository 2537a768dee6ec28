"""A progress bar for a local run, on a terminal and on stderr only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from lepton_stream.runtime.local import LocalRun


class _Rate(ProgressColumn):
    """Records read, and how fast."""

    def render(self, task: Task) -> Text:
        read = int(task.fields.get("read", 0))
        speed = read / task.elapsed if task.elapsed else 0
        told = f"{read:,} records  {speed:,.0f}/s  {int(task.fields.get('results', 0)):,} results"
        return Text(told, no_wrap=True)


class Bar:
    """Tells how far a run has come; `update` is cheap and may be called for every batch."""

    def __init__(self, progress: Progress | None, run: LocalRun) -> None:
        self._progress, self._run = progress, run
        sizes = [given.size for given in run.inputs]
        known = None if None in sizes else sum(size or 0 for size in sizes)
        self._task = progress.add_task(run.plan.name, total=known) if progress else None

    def update(self) -> None:
        """Look at the run again."""
        if self._progress is not None and self._task is not None:
            taken = sum(given.position for given in self._run.inputs)
            self._progress.update(self._task, completed=taken, read=self._run.account.read, results=self._run.results)


@contextmanager
def bar(run: LocalRun, *, quiet: bool) -> Iterator[Bar]:
    """Shown on a terminal; elsewhere, and with `quiet`, nothing is."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield Bar(None, run)
        return
    name = TextColumn("{task.description}", table_column=Column(max_width=20, no_wrap=True, overflow="ellipsis"))
    told = _Rate(table_column=Column(no_wrap=True))
    columns = (SpinnerColumn(), name, BarColumn(bar_width=12), told, TimeElapsedColumn())  # one line of 80 characters
    with Progress(*columns, console=console, transient=True, refresh_per_second=5) as progress:
        yield Bar(progress, run)
