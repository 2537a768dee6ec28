"""How fast the main job on Kafka is on this machine: the published workload through topics, broker on another core.

    python -m tests.bench.kafka [--records 1000000] [--runs 3] [--at-least 300000]

Apache Kafka is held to the first core, the one worker to the last. The records are fed once (4 partitions, lz4); each
run is a new version of the pipeline with topics of its own. Events a second are counted from the first chunk that
reached the worker to the acknowledgement of the last result: joining the group and leaving it are told apart. Every
run's newest results are compared with the truth.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from deploy.kafka import broker
from tests.bench.engine import COMMAND, PIPELINE, exact
from tests.bench.published import expected, prepared


def command(*words: object, core: int | None = None) -> None:
    """Run lepton-stream, held to a core if one is given."""
    hold = None if core is None else (lambda: os.sched_setaffinity(0, {core}))
    subprocess.run([str(COMMAND), *map(str, words)], check=True, preexec_fn=hold, stdout=subprocess.DEVNULL)


def pipeline_of(folder: Path, version: int) -> Path:
    """The workload's pipeline in another version, with topics of its own."""
    path = folder / f"workload.{version}.toml"
    path.write_text(f"version = {version}\n" + PIPELINE.read_text())
    return path


def one_run(folder: Path, version: int, bootstrap: str, core: int) -> dict[str, Any]:
    """Process the whole source topic once; the totals, with the path of the newest results."""
    plan = pipeline_of(folder, version)
    stats, results = folder / "totals.json", folder / "results.jsonl"
    command("topics", "apply", plan, "--broker", bootstrap)
    files = ("--output", results, "--stats", stats)
    command("run", plan, "--broker", bootstrap, "--until-end", "--quiet", *files, core=core)
    return {**json.loads(stats.read_bytes()), "path": results}


def report(runs: list[dict[str, Any]]) -> float:
    """Print the figures; events a second, the median of the runs."""
    speeds = sorted(run["read"] / run["busy_seconds"] for run in runs)
    events = runs[0]["read"]
    cpu = sorted(run["cpu_seconds"] / events * 1e6 for run in runs)
    print(f"{events:,} events through Apache Kafka, {len(runs)} runs, one worker on one core")
    print(f"  events/s, wall   median {median(speeds):>10,.0f}   lowest {speeds[0]:,.0f}   highest {speeds[-1]:,.0f}")
    print(
        f"  CPU-s per 1 M    median {median(cpu):>10.2f}   lowest {cpu[0]:.2f}   highest {cpu[-1]:.2f}  (start-up too)"
    )
    return median(speeds)


def main() -> int:
    """Measure; 1 if a result is wrong or the speed is below what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--at-least", type=float, default=300_000, help="events a second")
    asked = parser.parse_args()
    source, truth = prepared(asked.records), expected(asked.records)
    cores = sorted(os.sched_getaffinity(0))
    runs = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        node = broker.start(folder / "kafka")
        try:
            for task in Path(f"/proc/{node.pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {cores[0]})
            command("topics", "apply", pipeline_of(folder, 1), "--broker", node.bootstrap)
            command("feed", pipeline_of(folder, 1), "--broker", node.bootstrap, "--input", source)
            for version in range(1, asked.runs + 1):
                print(f"bench: run {version} of {asked.runs}", file=sys.stderr)
                run = one_run(folder, version, node.bootstrap, cores[-1])
                if not exact(run, truth):
                    print("bench: the results differ from the truth", file=sys.stderr)
                    return 1
                runs.append(run)
        finally:
            broker.stop(folder / "kafka")
    speed = report(runs)
    verdict = "met" if speed >= asked.at_least else "MISSED"
    print(f"  goal             at least {asked.at_least:,.0f} events/s: {verdict}")
    return 0 if speed >= asked.at_least else 1


if __name__ == "__main__":
    sys.exit(main())
