"""The pipeline over a paced stream: windows of seconds, small lateness, and the newest event of each result."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from lepton_stream.bench.kafka import Through
from lepton_stream.bench.stream import LATENESS_US, WINDOW_US

PARTITIONS = 4

_PLAN = """name = "{name}"

[source]
topic = "{name}"
time = "ts"
key = ["device"]
id = ["event_id"]
idle_timeout = "3s"

[fields]
event_id = "str"
device = "str"
ts = "float"
value = "float"

[topics]
partitions = {partitions}
{objective}
[[window]]
name = "{section}"
size = "{window}ms"
lateness = "{lateness}ms"
emit = "{emit}"
group_by = ["device"]
[window.results]
n = "count()"
mean = "mean(value)"
min = "min(value)"
max = "max(value)"
newest = "max(ts)"
"""


async def paced_plan(
    through: Through, emit: str, *, window_us: int = WINDOW_US, objective_ms: int | None = None
) -> tuple[str, Path]:
    """A pipeline that was not used before, its topics created; its name, which is that of its source, and its file.

    `objective_ms`: how fresh 99 of 100 results are to be.
    """
    name = f"bench-paced-{os.getpid()}-{next(through.versions)}"
    told = {"name": name, "partitions": PARTITIONS, "window": window_us // 1000, "lateness": LATENESS_US // 1000}
    told["section"] = "ten" if window_us == WINDOW_US else "short"
    told["objective"] = f'\n[objective]\nfreshness_p99 = "{objective_ms}ms"\n' if objective_ms else ""
    path = through.folder / f"{name}.toml"
    path.write_text(_PLAN.format(**told, emit=emit), encoding="utf-8")
    await asyncio.to_thread(through.beside().run, "topics", "apply", path, "--broker", through.address)
    return name, path
