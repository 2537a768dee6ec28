"""Row F2, by size: how long a worker takes from its assignment until all state is as it was."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.faults import inject
from tests.faults.node import Node
from tests.faults.report import Entry
from tests.kafka_pipeline.pipe import PARTITIONS, Pipe, until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
IDS = 1_000_000
START_MS = 1_700_000_000_000
TEXT = f"""
name = "planted"
[source]
topic = "planted.v1"
time = "ts"
time_unit = "ms"
key = ["device"]
id = ["event_id"]
idle = "wait"
[fields]
event_id = "str"
device = "str"
ts = "int"
value = "float"
[dedup]
memory = {IDS // PARTITIONS}
[[window]]
name = "day"
size = "7d"
lateness = "1h"
group_by = ["device"]
[window.results]
n = "count()"
mean = "mean(value)"
min = "min(value)"
max = "max(value)"
"""


def write(path: Path, records: int, groups: int) -> None:
    """Events of 126 bytes, each with an id of its own."""
    with path.open("w") as out:
        for n in range(records):
            event = {"event_id": f"{n:032x}", "device": f"device-{n % groups:09d}", "ts": START_MS + n // 100}
            line = json.dumps(event | {"value": n % 1000 / 8})
            out.write(line[:-1] + " " * max(0, 126 - len(line)) + "}\n")


def facts(log: str, event: str) -> list[dict[str, Any]]:
    """The log's lines about it."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("event") == event]


def at(fact: dict[str, Any]) -> float:
    """When it was told, in seconds."""
    return datetime.fromisoformat(fact["ts"]).timestamp()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("groups", [10_000, 100_000, 1_000_000])
def test_f02_state_is_restored_at_100_000_groups_a_second(
    groups: int, node: Node, tmp_path: Path, entry: Entry
) -> None:
    file = tmp_path / "in.jsonl"
    write(file, IDS, groups)
    with Pipe(tmp_path, node.bootstrap, TEXT) as pipe:
        pipe.apply()
        pipe.feed(file)
        first = pipe.run(workers=1, session="10")
        until(lambda: pipe.counted() >= IDS, 120, "all is counted", every=0.2)
        shuffle = pipe.partitions(pipe.names.shuffle)
        until(lambda: not any(map(pipe.look().behind, shuffle)), 60, "all is in checkpoints", every=0.2)
        inject.kill([first.process.pid])
        again = pipe.run("--log-format", "json", workers=1, session="10")
        until(lambda: len(facts(again.said, "restored")) >= 2 * PARTITIONS, 120, "all is restored", every=0.2)
        took = max(map(at, facts(again.said, "restored"))) - max(map(at, facts(again.said, "partitions_assigned")))
    entry.times.append((f"restore of {groups:,} groups, {IDS:,} ids", took))
    entry.proofs.append(f"{groups:,} open groups and {IDS:,} ids of one worker, killed")
    entry.verdict, entry.counts = "restored", f"in {took:.1f} s: {groups / took:,.0f} groups a second"
    assert groups < IDS or groups / took >= 100_000, entry.counts
