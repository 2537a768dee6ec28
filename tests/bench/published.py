"""The published workload as a file with its truth, made once and kept in `.cache/`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.data.workload import DEVICES, flush_start_us, write

CACHE = Path(".cache")
Figures = tuple[int, float, float, float]


def prepared(records: int) -> Path:
    """The input file; made, with its truth, where it is not there yet."""
    source = CACHE / f"workload-{records}.jsonl"
    if not _truth(records).exists():
        print(f"bench: making {records:,} events (once)", file=sys.stderr)
        CACHE.mkdir(exist_ok=True)
        workload = write(source, records)
        rows = [(device, start // 1000, *window.figures) for (device, start), window in workload.windows.items()]
        _truth(records).write_text(json.dumps(rows))
    return source


def expected(records: int) -> dict[tuple[str, int], Figures]:
    """(device, window start in ms) -> count, mean, min, max; the closing events of each device included."""
    rows = json.loads(_truth(records).read_text())
    truth = {(row[0], row[1]): tuple(row[2:]) for row in rows}
    closing = flush_start_us(records) // 1000
    return {**truth, **{(f"dev-{d}", closing): (1, 20.0, 20.0, 20.0) for d in range(DEVICES)}}


def _truth(records: int) -> Path:
    return CACHE / f"workload-{records}.truth.json"
