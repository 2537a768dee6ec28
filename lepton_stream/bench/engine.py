"""How fast the engine is: files in, results out, on one core, CPU seconds by stage."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from lepton_stream import clock
from lepton_stream.bench.command import Command, rows_of, totals_of
from lepton_stream.bench.cores import cores
from lepton_stream.bench.shape import Shape, pipeline
from lepton_stream.bench.spread import Spread
from lepton_stream.bench.stock import Stock, Tell, prepared
from lepton_stream.bench.truth import refuse_wrong


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
            done.append(one_run(stock, Command(core=cores()[1]), Path(folder), route))
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
    plan, stats, results = folder / "bench.toml", folder / "totals.json", folder / "results.jsonl"
    plan.write_text(pipeline(stock.shape), encoding="utf-8")
    began = clock.elapsed_s()
    files = ("--input", stock.path, "--output", results, "--stats", stats)
    command.run("run", plan, *files, "--route", route, "--quiet")
    wall, totals = clock.elapsed_s() - began, totals_of(stats)
    if check:
        refuse_wrong(rows_of(results), totals, stock)
    seconds = float(totals["seconds"])
    return Run(totals["read"], seconds, wall - seconds, totals["cpu_seconds"], totals.get("path", ""), totals["stages"])


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
