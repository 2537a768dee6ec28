"""What a million records cost by the form of their file, in CPU-seconds: JSON lines, packed, CSV, Parquet, Arrow.

    python -m tests.bench.files [--records 300000] [--runs 3] [--beside FOLDER]

The published workload in every form, and lines of 20 columns (`readings`) as CSV and Parquet, through the installed
command. `--beside`: another clone, whose code runs in turn with this one's over the same files; forms that it cannot
read are left out. Files are made once and kept in `.cache/`.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import polars as pl
import zstandard

from tests.bench.published import CACHE, prepared

EVENTS = Path("tests/data/workload.toml").resolve()
COLUMNS = 16
READINGS = f"""
name = "readings"
[source]
topic = "readings"
time = "ts"
key = "device"
id = ["device", "ts"]
[source.file]
format = "csv"
null = ["", "NA"]
[fields]
{chr(10).join(f'c{i} = {{ type = "float", required = false }}' for i in range(COLUMNS))}
n = "int"
[[window]]
name = "hour"
size = "1h"
lateness = "1m"
group_by = "device"
[window.results]
n = "count()"
{chr(10).join(f'm{i} = "mean(c{i})"' for i in range(3))}
"""


def readings(records: int) -> Iterator[dict[str, Any]]:
    """Rows of 20 columns: 16 numbers, 2 % of them missing, a device in quotes, a time, a count, a note not read."""
    draw = random.Random(4)
    for i in range(records):
        row: dict[str, Any] = {"device": f"device, {i % 50}", "ts": 1_700_000_000 + i // 10 + (i % 50) / 64, "n": i}
        row |= {f"c{c}": None if draw.random() < 0.02 else round(draw.gauss(20, 9), c % 4) for c in range(COLUMNS)}
        yield {**row, "note": "ok"}


def made(records: int) -> dict[str, tuple[Path, Path]]:
    """(pipeline, file) by what it is."""
    lines, plan = prepared(records), CACHE / "readings.toml"
    plan.write_text(READINGS)
    files = {
        form: (EVENTS, CACHE / f"events-{records}{form}") for form in (".jsonl.gz", ".jsonl.zst", ".parquet", ".arrow")
    }
    tables = {form: (plan, CACHE / f"readings-{records}{form}") for form in (".csv", ".parquet")}
    if not all(path.exists() for _, path in (*files.values(), *tables.values())):
        data = lines.read_bytes()
        files[".jsonl.gz"][1].write_bytes(gzip.compress(data, 6))
        files[".jsonl.zst"][1].write_bytes(zstandard.compress(data))
        events = pl.DataFrame([_typed(orjson.loads(line)) for line in data.splitlines()])
        events.write_parquet(files[".parquet"][1])
        events.write_ipc(files[".arrow"][1])
        rows = list(readings(records))
        pl.DataFrame(rows).write_parquet(tables[".parquet"][1])
        with tables[".csv"][1].open("w", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    named = {"events .jsonl": (EVENTS, lines)} | {f"events {form}": pair for form, pair in files.items()}
    return named | {f"readings {form}": pair for form, pair in tables.items()}


def _typed(event: dict[str, Any]) -> dict[str, Any]:
    return event if isinstance(event.get("value"), float) else {**event, "value": None}


def cpu_s(code: Path, plan: Path, path: Path, folder: Path) -> float | None:
    """CPU-seconds per million records; None where this code cannot read the file."""
    stats = folder / "totals.json"
    command = [sys.executable, "-m", "lepton_stream", "run", plan, "--input", path, "--output", folder / "out.jsonl"]
    environment = {**os.environ, "PYTHONPATH": str(code), "LEPTON_STREAM_COMPILED": "on"}
    line = [str(word) for word in (*command, "--stats", stats, "--quiet")]
    done = subprocess.run(line, cwd=code, env=environment, capture_output=True, check=False)
    if done.returncode:
        return None
    totals = json.loads(stats.read_bytes())
    return float(totals["cpu_seconds"] / totals["read"] * 1e6)


def main() -> None:
    """Measure and print a line a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--beside", type=Path)
    asked = parser.parse_args()
    codes = [Path.cwd(), *([asked.beside.resolve()] if asked.beside else [])]
    print(f"{'CPU-s per 1 M records':24}" + "".join(f"{code.name:>22}" for code in codes))
    with tempfile.TemporaryDirectory() as folder:
        for name, (plan, path) in made(asked.records).items():
            found: list[list[float | None]] = [[] for _ in codes]
            for _ in range(asked.runs):
                for code, runs in zip(codes, found, strict=True):
                    runs.append(cpu_s(code, plan.resolve(), path.resolve(), Path(folder)))
            print(f"{name:24}" + "".join(f"{_shown(runs):>22}" for runs in found), flush=True)


def _shown(runs: list[float | None]) -> str:
    times = [run for run in runs if run is not None]
    return f"{median(times):.2f} ({min(times):.2f}-{max(times):.2f})" if times else "-"


if __name__ == "__main__":
    main()
