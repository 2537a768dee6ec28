"""`lepton-stream demo`: a shipped pipeline on its shipped sample."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from rich.console import Console

from lepton_stream.cli.demo_table import newest, tables_of
from lepton_stream.cli.observing import LogChoice, MetricsTo, observing
from lepton_stream.cli.progress import bar
from lepton_stream.cli.totals import totals
from lepton_stream.errors import UsageError
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.source import about, find, sample, shipped
from lepton_stream.runtime.local import LocalRun, Options
from lepton_stream.runtime.pseudonym_secret import demo_secret

_SHOWN = 18
_SECONDS = 8.0


def demo(
    name: Annotated[str, typer.Argument(help="A shipped pipeline; left out: which there are.")] = "list",
    rows: Annotated[int, typer.Option(min=1, help="How many of the last results to show, of each window.")] = _SHOWN,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="How long the feed of the sample takes.")] = _SECONDS,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave broker, worker and metrics running until Ctrl-C.")
    ] = False,
    metrics: MetricsTo = None,
    no_broker: Annotated[bool, typer.Option("--no-broker", help="Over the sample's files, in this process.")] = False,
) -> int:
    """Run a shipped pipeline on its sample: a broker in memory, its topics, a feed, a worker, and the results live.

    Which there are: lepton-stream demo

    For example: lepton-stream demo iot/air_quality

    One that stays: lepton-stream demo finance/fx_ticks --keep

    Without a broker: lepton-stream demo manufacturing/equipment --no-broker
    """
    if name == "list":
        return _list()
    plan, given = find(name), sample(name)
    if no_broker:
        if keep:
            raise UsageError("--keep and --no-broker: without a broker there is nothing to keep running; leave one out")
        return _over_files(plan, given, rows)
    from lepton_stream.cli.demo_kafka import demo_on_broker  # noqa: PLC0415  as for `run`

    shown = observing(metrics, LogChoice.TEXT, None, None)
    return demo_on_broker(plan, given, rows=rows, seconds=seconds, keep=keep, metrics=shown)


def _list() -> int:
    names = shipped()
    width = max(map(len, names))
    for name in names:
        print(f"{name:<{width}}  {about(name)}")
    print("\nTo see one at work: lepton-stream demo NAME")
    return 0


def _over_files(plan: Plan, given: list[str], rows: int) -> int:
    run = LocalRun(plan, given, Options(pseudonyms=demo_secret(plan, os.environ)))
    with bar(run, quiet=False) as progress:
        shown: list[dict[str, Any]] = []
        for batch in run:
            shown = newest([*shown, *batch.rows()], rows)
            progress.update()
    console = Console()
    console.print(tables_of(f"{plan.name}: the last {len(shown)} results", shown, console))
    totals(run)
    return 0
