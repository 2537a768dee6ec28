"""`lepton-stream demo`: a shipped pipeline on its shipped sample."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, Any

import typer
from rich.console import Console

from lepton_stream.cli.demo_table import table_of
from lepton_stream.cli.observing import LogChoice, MetricsTo, observing
from lepton_stream.cli.progress import bar
from lepton_stream.cli.totals import totals
from lepton_stream.errors import UsageError
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.source import find, shipped
from lepton_stream.runtime.local import LocalRun, Options

_SHOWN = 18
_SECONDS = 8.0


def demo(
    name: Annotated[str, typer.Argument(help="A shipped pipeline; `list` shows them all.")] = "iot/air_quality",
    rows: Annotated[int, typer.Option(min=1, help="How many of the last results to show.")] = _SHOWN,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="How long the feed of the sample takes.")] = _SECONDS,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave broker, worker and metrics running until Ctrl-C.")
    ] = False,
    metrics: MetricsTo = None,
    no_broker: Annotated[bool, typer.Option("--no-broker", help="Over the sample's files, in this process.")] = False,
) -> int:
    """Run a shipped pipeline on its sample: a broker in memory, its topics, a feed, a worker, and the results live.

    For example: lepton-stream demo

    One that stays: lepton-stream demo iot/air_quality --keep

    Without a broker: lepton-stream demo --no-broker

    Which there are: lepton-stream demo list
    """
    if name == "list":
        return _list()
    plan, sample = find(name), _sample(name)
    if no_broker:
        if keep:
            raise UsageError("--keep and --no-broker: without a broker there is nothing to keep running; leave one out")
        return _over_files(plan, sample, rows)
    from lepton_stream.cli.demo_kafka import demo_on_broker  # noqa: PLC0415  as for `run`

    shown = observing(metrics, LogChoice.TEXT, None, None)
    return demo_on_broker(plan, sample, rows=rows, seconds=seconds, keep=keep, metrics=shown)


def _list() -> int:
    for name in shipped():
        print(f"{name:<28} {find(name).name}")
    return 0


def _sample(name: str) -> list[str]:
    folder = files("lepton_stream").joinpath("data", *name.split("/"))
    if not folder.is_dir():
        raise UsageError(f"{name}: no sample is shipped; the shipped pipelines are {', '.join(shipped())}")
    return sorted(str(file) for file in folder.iterdir() if not file.name.endswith(".md"))


def _over_files(plan: Plan, sample: list[str], rows: int) -> int:
    run = LocalRun(plan, sample, Options())
    with bar(run, quiet=False) as progress:
        shown: list[dict[str, Any]] = []
        for batch in run:
            shown = [*shown, *batch.rows()][-rows:]
            progress.update()
    Console().print(table_of(f"{plan.name}: the last {len(shown)} results", shown))
    totals(run)
    return 0
