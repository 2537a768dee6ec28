"""How fast the engine is: files in, results out, on one core, CPU seconds by stage."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from lepton_stream import clock
from lepton_stream.bench.command import Command, measured, rows_of, totals_of
from lepton_stream.bench.shape import Shape, pipeline
from lepton_stream.bench.spread import Spread
from lepton_stream.bench.stock import Stock, Tell, prepared
from lepton_stream.bench.truth import refuse_wrong

RESULTS = "results.jsonl"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command. `start_up`: seconds besides those that it counts itself."""

    events: int
    seconds: float
    start_up: float
    cpu_seconds: float
    path: str
    stages: dict[str, float]


def engine(shape: Shape, runs: int, route: str, tell: Tell) -> dict[str, Any]:
    """Measure; the figures as plain values. Raises IntegrityError where a result is wrong."""
    stock = prepared(shape, tell)
    done = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1, runs + 1):
            tell(f"engine: run {number} of {runs}")
            done.append(one_run(stock, measured(), Path(folder), route))
    return {"shape": told(stock, route), **figures(done)}


def told(stock: Stock, route: str) -> dict[str, Any]:
    """What was measured with."""
    shape = stock.shape
    return {
        "events": shape.records, "event_bytes": round(stock.event_bytes, 1), "keys": shape.keys,
        "windows": shape.windows, "fields": shape.fields, "bad": shape.bad, "seed": shape.seed, "route": route,
        "form": "wide" if shape.wide else "published",
    }  # fmt: skip


def one_run(stock: Stock, command: Command, folder: Path, route: str = "partials", *, check: bool = True) -> Run:
    """Run the command once over the stock. Raises LeptonError, and IntegrityError where a result is wrong."""
    plan = folder / "bench.toml"
    plan.write_text(pipeline(stock.shape), encoding="utf-8")
    run, totals = timed(command, plan, stock.path, folder, "--route", route)
    if check:
        refuse_wrong(rows_of(folder / RESULTS), totals, stock)
    return run


def timed(command: Command, plan: Path, events: Path, folder: Path, *more: str) -> tuple[Run, dict[str, Any]]:
    """(what a run of a pipeline over a file took, its totals); results are in `folder`. Raises LeptonError."""
    stats = folder / "totals.json"
    began = clock.elapsed_s()
    files = ("--input", events, "--output", folder / RESULTS, "--stats", stats)
    command.run("run", plan, *files, *more, "--quiet")
    wall, totals = clock.elapsed_s() - began, totals_of(stats)
    seconds = float(totals["seconds"])
    path, stages = totals.get("path", ""), totals["stages"]
    return Run(totals["read"], seconds, wall - seconds, totals["cpu_seconds"], path, stages), totals


def figures(runs: Sequence[Run]) -> dict[str, Any]:
    """Spreads over the runs, and the median of each stage with its share."""
    stages = {name: median(r.stages.get(name, 0.0) / r.events * 1e6 for r in runs) for name in runs[0].stages}
    whole = sum(stages.values()) or 1.0
    return {
        "events_per_second": Spread.of([r.events / r.seconds for r in runs]).plain(),
        "cpu_seconds_per_million": Spread.of([r.cpu_seconds / r.events * 1e6 for r in runs]).plain(),
        "start_up_seconds": Spread.of([r.start_up for r in runs]).plain(),
        "path": runs[0].path,
        "stages": {name: {"cpu_seconds_per_million": s, "share": s / whole} for name, s in stages.items()},
    }
