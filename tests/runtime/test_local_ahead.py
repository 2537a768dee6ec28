"""A local run that reads and cleans in a thread of its own counts the same, and leaves no thread behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lepton_stream.errors import UsageError
from lepton_stream.formats.dead_letters import DeadLetter
from lepton_stream.pipeline.toml_front import load
from lepton_stream.runtime.local import LocalRun, Options
from tests.runtime.events import as_csv, blocks, event, events, plan_file

UNTIMED = {"seconds", "cpu_seconds", "stages", "path"}


@pytest.fixture
def with_cores(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def have(count: int) -> None:
        monkeypatch.setattr("lepton_stream.runtime.local.cores", lambda: count)

    return have


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "read ahead"]


def outcome(plan: Path, inputs: list[Path], partitions: int | None) -> tuple[list[Any], list[Any], dict[str, Any]]:
    letters: list[DeadLetter] = []
    options = Options(partitions=partitions, bury=letters.extend, run_start_us=0, secret=bytes(16))
    run = LocalRun(load(plan), inputs, options)
    rows = [row for batch in run for row in batch.rows()]
    return rows, letters, {name: value for name, value in run.stats().items() if name not in UNTIMED}


@pytest.mark.parametrize("partitions", [None, 1, 3])
@pytest.mark.parametrize("form", ["json", "csv"])
def test_results_letters_and_accounts_are_those_of_one_thread(
    tmp_path: Path, with_cores: Callable[[int], None], form: str, partitions: int | None
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    if form == "json":
        first.write_bytes(events(30_000) + b"broken\n" + events(100, 100) + events(20_000, 30_000))
        second.write_bytes(b"".join(event(i, "x" * 300) + b"{}\n" for i in range(25_000, 60_000, 5)))
    else:
        first.write_bytes(as_csv(40_000) + b"what,is,this\n")
        second.write_bytes(as_csv(50_000))
    plan = plan_file(tmp_path, form)
    with_cores(1)
    alone = outcome(plan, [first, second], partitions)
    with_cores(2)
    both = outcome(plan, [first, second], partitions)
    assert len(alone[0]) > 1000
    assert alone[1]
    assert both == alone
    assert readers() == []


def test_stages_of_both_threads_are_told(tmp_path: Path, with_cores: Callable[[int], None]) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"".join(blocks(3)))
    with_cores(2)
    run = LocalRun(load(plan_file(tmp_path)), path)
    list(run)
    assert {"read", "decode", "clean", "dedup", "group", "aggregate", "fold"} <= run.watch.stages.keys()
    assert all(seconds >= 0 for seconds in run.watch.stages.values())
    assert run.watch.stages["decode"] > 0


def test_who_leaves_early_leaves_no_thread(tmp_path: Path, with_cores: Callable[[int], None]) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"".join(blocks(20)))
    with_cores(2)
    with LocalRun(load(plan_file(tmp_path)), path) as run:
        batches = iter(run)
        next(batches)
        assert len(readers()) == 1
        batches.close()  # type: ignore[attr-defined]
        assert readers() == []
    assert 0 < run.account.read < 20 * 2100


def test_what_goes_wrong_while_reading_is_raised_behind_what_was_read(
    tmp_path: Path, with_cores: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(events(100_000))
    with_cores(2)
    run = LocalRun(load(plan_file(tmp_path)), path)
    chunks = iter(run.inputs[0])

    def some() -> Any:
        yield next(chunks)
        raise UsageError("the disk is gone")

    monkeypatch.setattr(type(run.inputs[0]), "__iter__", lambda _: some())
    with pytest.raises(UsageError, match="the disk is gone"):
        list(run)
    assert run.account.read > 0
    assert readers() == []
