"""What a run on Kafka must have left: what the run over the same files leaves, and an orderly results topic."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lepton_stream.cli.main import outcome
from lepton_stream.formats.dead_letters import KEPT_BYTES, from_line
from lepton_stream.runtime.kafka.letters import read
from tests.acceptance.commands import balanced, but_version, lines
from tests.data.planted import generate
from tests.kafka_pipeline.pipe import PARTITIONS, Done, Pipe

Letter = tuple[int, int, str, bytes | None]
IF_ANY = ("filtered", "filtered_by_window")
COUNTED = ("read", "accepted", "duplicate", "late", "dead_lettered", "late_by_window", "mended")


def write_planted(path: Path, records: int, seed: int) -> Path:
    """The planted records as a file."""
    path.write_bytes(b"".join(record.value + b"\n" for record in generate(records, seed)))
    return path


class Expected:
    """The run over files, split as a topic with four partitions would."""

    def __init__(self, pipe: Pipe, *files: Path) -> None:
        out, stats, dead, told = (
            pipe.folder / f"expected.{kind}" for kind in ("jsonl", "json", "dead", "events.jsonl")
        )
        where = ["--output", str(out), "--stats", str(stats), "--dead-letters", str(dead), "--quiet"]
        where += ["--events", str(told)] if pipe.plan.in_order else []
        given = [str(f) for f in files]
        assert outcome(["run", str(pipe.path), "--input", *given, "--partitions", str(PARTITIONS), *where]) == 0
        self.rows = but_version(exact(lines(out)))
        self.stats: dict[str, Any] = json.loads(stats.read_text())
        self.events = sorted(map(json.dumps, lines(told))) if pipe.plan.in_order else []
        letters = map(from_line, dead.read_bytes().splitlines())
        self.letters = sorted(
            (d.source.partition, d.offset, d.reason.value, _kept(d.reason.value, d.value)) for d in letters
        )

    def holds_for(self, done: Done) -> None:
        """Results, events and account of a run on Kafka are these."""
        assert but_version(exact(done.rows)) == self.rows
        assert _counted(done.stats) == _counted(self.stats)
        assert done.stats["results"] == self.stats["results"]
        assert sorted(map(json.dumps, done.events)) == self.events
        assert done.stats.get("events", 0) == self.stats.get("events", 0) == len(self.events)
        assert balanced(done.stats)


def exact(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without the lists of `top` that are near only: within their error they depend on how the input was cut."""
    return [{name: value for name, value in row.items() if not _is_near(value)} for row in rows]


def _is_near(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) and one.get("error") for one in value)


def _counted(stats: dict[str, Any]) -> dict[str, Any]:
    """In all and by source partition that has records; unlisted fields are left out: `feed` does not send them."""
    accounts = {"all": stats, **{name: a for name, a in stats["sources"].items() if a["read"]}}
    return {name: {**{n: a[n] for n in COUNTED}, **{n: a.get(n) for n in IF_ANY}} for name, a in accounts.items()}


def _kept(reason: str, value: bytes | None) -> bytes | None:
    return value[:KEPT_BYTES] if reason == "too_large" and value else value


def letters_of(pipe: Pipe) -> list[Letter]:
    """The dead letters, each place once; those of one place are alike."""
    found: dict[tuple[int, int], Letter] = {}
    for stored in pipe.stored(pipe.names.dead_letters):
        letter = read(stored.value, stored.key, stored.headers, f"{stored.partition}/{stored.offset}")
        assert (letter.source.topic, letter.source.partition) == (pipe.source, stored.partition)
        reason = letter.reason.value
        one = (letter.source.partition, letter.offset, reason, _kept(reason, letter.value))
        assert found.setdefault(one[:2], one) == one
    return sorted(found.values())


def assert_orderly(pipe: Pipe, done: Done) -> None:
    """No two results disagree, none comes behind a newer one, and the last ones are what the run has written."""
    values: dict[tuple[bytes, int], bytes] = {}
    last: dict[bytes, dict[str, Any]] = {}
    for stored in pipe.stored(pipe.names.results):
        if stored.value is None or stored.key is None:
            continue
        row = json.loads(stored.value)
        assert values.setdefault((stored.key, row["version"]), stored.value) == stored.value
        assert stored.key not in last or last[stored.key]["version"] <= row["version"]
        last[stored.key] = row
    assert sorted(map(json.dumps, last.values())) == sorted(map(json.dumps, done.rows))
