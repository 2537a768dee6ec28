"""A progress bar for those who wait: on a terminal, once two seconds have passed."""

from __future__ import annotations

import sys
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

AFTER_SECONDS = 2.0


class Waiting:
    """Shows how many of `total` parts are done; `now_s` is a clock's reading, handed in."""

    def __init__(self, total: int, now_s: float, console: Console | None = None) -> None:
        self._total, self._began_s = total, now_s
        self._console = console or Console(file=sys.stderr)
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, now_s: float) -> None:
        """Look again; cheap."""
        if self._bar is None:
            if now_s - self._began_s < AFTER_SECONDS or not self._console.is_terminal:
                return
            columns = (
                TextColumn("parts"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task("parts", total=self._total)
            self._bar.start()
        self._bar.update(self._task, completed=done)
