"""The command line of tests/data/planted.py, and the truth as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tests.data.planted import RULES, generate, split
from tests.reference.stream import Truth, evaluate


def part_name(out: Path, partition: int, partitions: int) -> Path:
    """`events.jsonl`, or `events.2.jsonl` for partition 2 of several."""
    return out if partitions == 1 else out.with_suffix(f".{partition}{out.suffix}")


def as_json(truth: Truth) -> dict[str, object]:
    """Plain JSON: accounts by partition, dead letters by offset with their bytes as Latin-1 text, windows as rows."""
    return {
        "partitions": {p: vars(account) for p, account in truth.accounts.items()},
        "dead_letters": [
            {
                "partition": d.partition,
                "offset": d.offset,
                "reason": d.reason,
                "latin1": (d.value or b"").decode("latin-1"),
            }
            for d in truth.dead_letters
        ],
        "windows": {
            name: [{"group": group[:-1], "start_us": group[-1], **vars(s), "std": s.std} for group, s in rows.items()]
            for name, rows in truth.windows.items()
        },
    }


def write(out: Path, records: int, seed: int, partitions: int) -> Truth:
    """Write the files, one line a record, and compute their truth."""
    parts = {p: [r.value for r in of] for p, of in split(generate(records, seed), partitions).items()}
    for partition, values in parts.items():
        part_name(out, partition, partitions).write_bytes(b"".join(value + b"\n" for value in values))
    return evaluate(parts, RULES)


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.data.planted")
    parser.add_argument("out", type=Path)
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--truth", type=Path)
    arguments = parser.parse_args()
    truth = write(arguments.out, arguments.records, arguments.seed, arguments.partitions)
    if arguments.truth:
        arguments.truth.write_text(json.dumps(as_json(truth)))
