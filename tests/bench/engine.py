"""How fast the engine is on this machine: the published workload through the installed command, on one core.

    python -m tests.bench.engine [--records 1000000] [--runs 3] [--at-least 300000]

The input (tests/data/workload.py, seed 1) is made once and kept in `.cache/`. The command is held to one core; every
run's results are compared with the truth that was kept while the input was made. Printed: events a second by the wall
clock (from the first byte read to the last result written; start-up is told apart), and CPU-seconds per million events
by stage.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.published import expected, prepared

COMMAND = Path(sys.executable).with_name("lepton-stream")
PIPELINE = Path("tests/data/workload.toml")


def one_run(source: Path, folder: Path, core: int) -> dict[str, Any]:
    """Run the command once; its totals, with `start_up` and `wall` seconds and the path of its results."""
    stats, results = folder / "totals.json", folder / "results.jsonl"
    files = ("--input", source, "--output", results, "--stats", stats)
    command = [str(word) for word in (COMMAND, "run", PIPELINE, *files, "--quiet")]
    began = time.perf_counter()
    subprocess.run(command, check=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    wall = time.perf_counter() - began
    totals: dict[str, Any] = json.loads(stats.read_bytes())
    return {**totals, "wall": wall, "start_up": wall - totals["seconds"], "path": results}


def exact(run: dict[str, Any], truth: dict[tuple[str, int], tuple[int, float, float, float]]) -> bool:
    """Whether each (device, minute) has the right count, mean, min and max, and there is no other."""
    rows = [json.loads(line) for line in Path(run["path"]).read_bytes().splitlines()]
    got = {(r["device"], r["window_start"]): (r["n"], r["mean"], r["min"], r["max"]) for r in rows}
    if got.keys() != truth.keys():
        return False
    return all(
        (g[0], g[2], g[3]) == (w[0], w[2], w[3]) and abs(g[1] - w[1]) <= 1e-12 * abs(w[1])
        for g, w in ((got[key], truth[key]) for key in truth)
    )


def report(runs: list[dict[str, Any]]) -> float:
    """Print the figures; events a second, the median of the runs."""
    speeds = sorted(run["read"] / run["seconds"] for run in runs)
    events = runs[0]["read"]
    print(f"{events:,} events, {len(runs)} runs on one core")
    print(f"  events/s, wall   median {median(speeds):>10,.0f}   lowest {speeds[0]:,.0f}   highest {speeds[-1]:,.0f}")
    cpu = [run["cpu_seconds"] / events * 1e6 for run in runs]
    print(f"  CPU-s per 1 M    median {median(cpu):>10.2f}   lowest {min(cpu):.2f}   highest {max(cpu):.2f}")
    print(f"  start-up, s      median {median(run['start_up'] for run in runs):>10.2f}")
    print("  stage                    CPU-s per 1 M    share")
    stages = {name: median(run["stages"].get(name, 0.0) for run in runs) / events * 1e6 for name in runs[0]["stages"]}
    for name, seconds in stages.items():
        print(f"    {name:22} {seconds:>14.3f} {seconds / sum(stages.values()):>8.0%}")
    return median(speeds)


def main() -> int:
    """Measure; 1 if a result is wrong or the speed is below what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--at-least", type=float, default=300_000, help="events a second")
    asked = parser.parse_args()
    source = prepared(asked.records)
    truth = expected(asked.records)
    core = max(os.sched_getaffinity(0))
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1, asked.runs + 1):
            print(f"bench: run {number} of {asked.runs}", file=sys.stderr)
            run = one_run(source, Path(folder), core)
            if not exact(run, truth):
                print("bench: the results differ from the truth", file=sys.stderr)
                return 1
            runs.append(run)
    speed = report(runs)
    verdict = "met" if speed >= asked.at_least else "MISSED"
    print(f"  goal             at least {asked.at_least:,.0f} events/s: {verdict}")
    return 0 if speed >= asked.at_least else 1


if __name__ == "__main__":
    sys.exit(main())
