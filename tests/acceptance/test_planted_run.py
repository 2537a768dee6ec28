"""Records with planted trouble through the command: every account, every dead letter, every window."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lepton_stream.cli.main import outcome
from lepton_stream.core import Route
from lepton_stream.formats.dead_letters import KEPT_BYTES, DeadLetter, from_line
from lepton_stream.pipeline.toml_front import load
from lepton_stream.runtime.local import LocalRun, Options
from tests.acceptance.commands import lines, run
from tests.data import planted
from tests.data.planted import RULES, generate, split
from tests.data.workload import TOML as WORKLOAD
from tests.data.workload import flush_start_us
from tests.data.workload import write as write_workload
from tests.reference.murmur2 import partition_of
from tests.reference.records import Rejected, read
from tests.reference.rules import FieldRule
from tests.reference.stream import Truth, evaluate

PLANTED = Path(planted.__file__).with_suffix(".toml")
HEAD = 512  # bytes of a record without a readable key that decide about its partition
ROUNDED = 1e-15


def write(path: Path, values: Sequence[bytes]) -> Path:
    path.write_bytes(b"".join(value + b"\n" for value in values))
    return path


class Done:
    """A finished run through the command line, and what it wrote."""

    def __init__(self, folder: Path, files: Sequence[Path], *more: str) -> None:
        out, stats, dead = folder / "out.jsonl", folder / "stats.json", folder / "dead.jsonl"
        given = ["run", str(PLANTED), "--input", *map(str, files), "--output", str(out)]
        code = outcome([*given, "--stats", str(stats), "--dead-letters", str(dead), "--quiet", *more])
        assert code == 0
        self.rows = lines(out)
        self.stats: dict[str, Any] = json.loads(stats.read_text())
        self.letters = [from_line(line) for line in dead.read_bytes().splitlines()]


def assert_accounts(done: Done, truth: Truth) -> None:
    names = ("read", "accepted", "duplicate", "late", "dead_lettered")
    found = [{n: account[n] for n in names} for account in done.stats["sources"].values()]
    wanted = [{n: getattr(truth.accounts[p], n) for n in names} for p in sorted(truth.accounts)]
    assert found == wanted
    assert done.stats["read"] == sum(a.read for a in truth.accounts.values())
    assert any(a.late for a in truth.accounts.values())


def assert_letters(letters: Sequence[DeadLetter], truth: Truth) -> None:
    found = {(d.source.partition, d.offset): (str(d.reason), d.value) for d in letters}
    assert len(found) == len(letters) == len(truth.dead_letters)
    for d in truth.dead_letters:
        kept = (d.value or b"")[:KEPT_BYTES] if d.reason == "too_large" else d.value
        assert found[d.partition, d.offset] == (d.reason, kept)
    large = [d for d in letters if str(d.reason) == "too_large"]
    assert all("got 1000" in d.detail and len(d.value or b"") == KEPT_BYTES for d in large)
    assert large


def assert_windows(rows: Sequence[dict[str, Any]], truth: Truth) -> None:
    found: dict[tuple[object, ...], dict[str, Any]]
    found = {(row["device"], row["window_start"] * 1000): row for row in rows}
    assert len(found) == len(rows)
    assert found.keys() == truth.windows["minute"].keys()
    for key, summary in truth.windows["minute"].items():
        row = found[key]
        exact = [row[name] for name in ("n", "min", "max", "first", "last")]
        assert exact == [summary.rows, summary.min, summary.max, summary.first, summary.last]
        for name, figure in (("sum", summary.sum), ("mean", summary.mean), ("variance", summary.variance)):
            assert row[name] == (figure if figure is None else pytest.approx(figure, rel=ROUNDED, abs=0))


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize(("seed", "records", "sources"), [(1, 4000, 1), (2, 15_000, 3), (3, 6000, 2)])
@pytest.mark.parametrize("route", ["rows", "partials", "mixed"])
def test_each_file_has_its_exact_account_letters_and_windows(
    tmp_path: Path, seed: int, records: int, sources: int, route: Route
) -> None:
    parts = {p: [r.value for r in of] for p, of in split(generate(records, seed), sources).items()}
    done = Done(tmp_path, [write(tmp_path / f"{p}.jsonl", parts[p]) for p in parts], "--route", route)
    truth = evaluate(parts, RULES)
    assert_accounts(done, truth)
    assert_letters(done.letters, truth)
    assert_windows(done.rows, truth)


def place(value: bytes, partitions: int) -> int:
    """The partition of a record by the reference: by its key if key and time can be read, else by its first bytes."""
    rules = replace(RULES, fields={name: FieldRule(RULES.fields[name].type) for name in ("device", "ts")})
    try:
        key = str(read(value, rules).values["device"]).encode()
    except Rejected as verdict:
        readable = verdict.reason.startswith("timestamp")
        key = json.loads(value)["device"].encode() if readable else value[:HEAD]
    return partition_of(key, partitions)


@pytest.mark.parametrize(("seed", "partitions"), [(4, 1), (5, 4), (6, 4)])
def test_partitions_hold_what_a_topic_would_and_each_has_its_exact_account(
    tmp_path: Path, seed: int, partitions: int
) -> None:
    values = [r.value for r in generate(8000, seed)]
    parts: dict[int, list[bytes]] = {p: [] for p in range(partitions)}
    for value in values:
        parts[place(value, partitions)].append(value)
    done = Done(tmp_path, [write(tmp_path / "all.jsonl", values)], "--partitions", str(partitions))
    truth = evaluate(parts, RULES)
    assert_accounts(done, truth)
    assert_letters(done.letters, truth)
    assert_windows(done.rows, truth)
    assert list(done.stats["sources"]) == [f"planted.v1[{p}]" for p in range(partitions)]


@pytest.mark.parametrize("partitions", [None, 4])
def test_the_last_update_of_each_key_is_its_final_result(tmp_path: Path, partitions: int | None) -> None:
    values = [r.value for r in generate(30_000, 9)]
    path = write(tmp_path / "all.jsonl", values)
    plan = load(PLANTED)
    updating = replace(plan, windows=(replace(plan.windows[0], emit="updates"),))

    def rows(of: Any) -> list[dict[str, Any]]:
        return [row for batch in LocalRun(of, [path], Options(partitions=partitions)) for row in batch.rows()]

    last: dict[tuple[str, int], dict[str, Any]] = {}
    updates = rows(updating)
    for row in updates:
        before = last.get(key := (row["device"], row["window_start"]))
        assert before is None or (before["version"] < row["version"] and not before["final"])
        last[key] = row
    finals = rows(plan)
    assert len(updates) > len(finals) == len(last)
    for row in finals:
        same = last[row["device"], row["window_start"]]
        assert same["final"]
        assert {**same, "version": 0} == {**row, "version": 0}


def test_another_hash_seed_and_another_secret_give_the_same_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "all.jsonl", [r.value for r in generate(3000, 12)])
    runs = [run("run", PLANTED, "-i", path, "-q", env={"PYTHONHASHSEED": seed}) for seed in ("0", "4711")]
    assert runs[0].returncode == 0
    assert runs[0].stdout == runs[1].stdout
    assert runs[0].stdout.count(b"\n") > 900


@pytest.mark.usefixtures("path")
def test_every_device_and_minute_of_the_peers_workload_is_right(tmp_path: Path) -> None:
    workload = write_workload(tmp_path / "w.jsonl", 60_000)
    out, stats = tmp_path / "out.jsonl", tmp_path / "stats.json"
    given = ["run", str(WORKLOAD), "--input", str(tmp_path / "w.jsonl"), "--output", str(out), "--stats", str(stats)]
    assert outcome([*given, "-q"]) == 0
    start = flush_start_us(60_000)
    found = {(r["device"], r["window_start"] * 1000): r for r in lines(out) if r["window_start"] * 1000 != start}
    assert found.keys() == workload.windows.keys()
    for key, window in workload.windows.items():
        count, mean, smallest, largest = window.figures
        assert [found[key][name] for name in ("n", "min", "max")] == [count, smallest, largest]
        assert found[key]["mean"] == pytest.approx(mean, rel=ROUNDED, abs=0)
    told = json.loads(stats.read_text())
    assert [told["read"], told["accepted"], told["duplicate"], told["late"]] == list(workload.account.values())[:4]
    assert sum(told["dead_lettered"].values()) == workload.account["dead"]
