"""`lepton-stream demo`: a shipped pipeline on its shipped sample."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from lepton_stream.cli.progress import bar
from lepton_stream.cli.totals import totals
from lepton_stream.errors import UsageError
from lepton_stream.pipeline.source import find, shipped
from lepton_stream.runtime.local import LocalRun, Options

_SHOWN = 18


def demo(
    name: Annotated[str, typer.Argument(help="A shipped pipeline.")] = "iot/air_quality",
    rows: Annotated[int, typer.Option(min=1, help="How many of the last results to show.")] = _SHOWN,
) -> int:
    """Run a shipped pipeline on its sample, in this process, and show the last results as a table."""
    plan, console = find(name), Console()
    run = LocalRun(plan, _sample(name), Options())
    with bar(run, quiet=False) as progress:
        shown: list[dict[str, Any]] = []
        for batch in run:
            shown = [*shown, *batch.rows()][-rows:]
            progress.update()
    console.print(_table(plan.name, shown))
    totals(run)
    return 0


def _sample(name: str) -> list[str]:
    folder = files("lepton_stream").joinpath("data", *name.split("/"))
    if not folder.is_dir():
        raise UsageError(f"{name}: no sample is shipped; the shipped pipelines are {', '.join(shipped())}")
    return sorted(str(file) for file in folder.iterdir() if not file.name.endswith(".md"))


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    told = f"{title}: the last {len(rows)} results"
    table = Table(title=told, box=SIMPLE, show_edge=False, pad_edge=False, collapse_padding=True)
    hidden = {"window", "window_end", "final", "version"}
    names = [name for name in (rows[0] if rows else {}) if name not in hidden]
    for name in names:
        if name == "window_start":
            table.add_column("from (UTC)", no_wrap=True)
        else:
            number = isinstance(rows[0][name], int | float)
            words = name.replace("_", "\n")  # rich, left to wrap a heading itself, cuts words at 80 characters
            table.add_column(words, justify="right" if number else "left", no_wrap=not number)
    for row in rows:
        table.add_row(*(_cell(name, row[name]) for name in names))
    return table


def _cell(name: str, value: object) -> str:
    if name == "window_start" and isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, float):
        return f"{value:,.1f}"
    return "-" if value is None else str(value)
