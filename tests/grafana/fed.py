"""Metrics of every kind for tests without a broker.

What is counted (records, outcomes, results, CPU by stage) is that of a real run over files. Seconds, sizes and lags,
which only a service has, are made up, one value for every metric of the catalogue; they say nothing of the product.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from lepton_stream.models.events import Events
from lepton_stream.pipeline.toml_front import parse
from lepton_stream.runtime.local import LocalRun, Options
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.meter import Meter, Samples
from lepton_stream.telemetry.snapshot import Kept, Snapshot
from tests.data import planted

PLANTED = Path(planted.__file__).with_suffix(".toml")
LABELS = {
    "topic": "planted.v1",
    "partition": "0",
    "agent": "prepare",
    "window": "minute",
    "worker": "0",
    "kind": "windows",
    "part": "cpu",
    "currency": "EUR",
    "model": "spike",
    "knob": "route",
    "choice": "rows",
    "route": "rows",
    "codec": "lz4",
    "about": "minute",
    "measure": "CPU seconds a million records",
}
FROM_SERVER = {c.WORKERS.name, c.READY.name, c.UP.name, c.STEP_AGE.name, c.BUILD_INFO.name}


def plan_with_all_outcomes() -> str:
    """The planted pipeline, changed so that values are mended, filtered, late for one window only, and scored."""
    text = PLANTED.read_text().replace("max = 1000 }", 'max = 1000, on_bad = "clip" }', 1)
    filtered = '\n[[window]]\nname = "five"\nsize = "5m"\nlateness = "10m"\nwhere = "value > 1"\n'
    scored = '\n[[model]]\nname = "spike"\nscore = "robust_z(value)"\nthreshold = 5\nlateness = "1m"\nemit = "all"\n'
    return f'{text}{filtered}[window.results]\nn = "count()"\n{scored}'


def snapshots(folder: Path, records: int = 20_000) -> Iterator[Snapshot]:
    """What a worker would tell after each batch of results."""
    source = folder / "records.jsonl"
    source.write_bytes(b"".join(r.value + b"\n" for r in planted.generate(records, seed=7)))
    plan = parse(plan_with_all_outcomes(), "planted")
    meter = Meter()
    by_window: dict[str, int] = {}
    scored = Counter({"spike": 0})  # the model tells all scores

    def tell(batches: Sequence[Events]) -> None:
        scored.update({batch.model: len(batch) for batch in batches})

    with LocalRun(plan, [source], Options(tell=tell)) as run:
        for number, batch in enumerate(run):
            for row in batch.rows():
                by_window[row["window"]] = by_window.get(row["window"], 0) + 1
            told = dict(scored)
            kept = Kept(number, {("planted.v1", "0"): run.account.to_dict()}, dict(by_window), told, told)
            _count(meter, run.watch.stages)
            yield Snapshot(
                joined=True,
                kept={0: kept},
                gauges=_gauges(),
                counters=meter.counters(),
                histograms=meter.histograms(),
            )


def _count(meter: Meter, stages: dict[str, float]) -> None:
    told = meter.counters().get(c.STAGE_CPU.name, {})
    for stage, seconds in stages.items():
        meter.add(c.STAGE_CPU, seconds - told.get((stage,), 0.0), stage)
    for metric in (m for m in c.METRICS if not m.durable and m is not c.STAGE_CPU):
        if metric.kind == "histogram":
            meter.observe(metric, 0.2, *labels_of(metric))
        elif metric.kind == "counter":
            meter.add(metric, 0.2, *labels_of(metric))


def labels_of(metric: c.Metric) -> tuple[str, ...]:
    """Values for its labels but the pipeline, which the server adds."""
    return tuple(LABELS[name] for name in metric.labels[1:])


def _gauges() -> Samples:
    gauges = [m for m in c.METRICS if m.kind == "gauge" and m.name not in FROM_SERVER]
    return {m.name: {labels_of(m): 3.0} for m in gauges}
