"""However a run is ended, what it wrote is whole lines and what it counted adds up."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.commands import COMMAND, balanced, run, start
from tests.runtime.events import DEVICES, events, plan_file

COUNT = 20_000
BAD = b"broken\n"


def under_way(folder: Path, *more: str | Path) -> tuple[subprocess.Popen[bytes], bytes]:
    """A run whose input stays open, and the first line of its results: it is in the middle."""
    stats, letters = folder / "stats.json", folder / "letters.jsonl"
    process = start(
        "run", plan_file(folder), "--input", "-", "--stats", stats, "--dead-letters", letters, *more, bufsize=0
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(BAD + events(400))  # less than a pipe holds: nothing can block
    return process, process.stdout.readline()


def whole(data: bytes) -> list[dict[str, object]]:
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_ends_with_its_code_its_stats_and_whole_lines(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process, first = under_way(tmp_path)
    process.send_signal(number)
    with process:
        out, err = process.communicate()
    assert process.returncode == code
    assert b"Traceback" not in err
    assert b"interrupted" in err
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert balanced(stats)
    assert stats["read"] > 0
    assert stats["dead_lettered"] == {"decode_error": 1}
    assert stats["results"] == len(whole(first + out)) > 0
    assert len(whole((tmp_path / "letters.jsonl").read_bytes())) == 1


def test_a_killed_run_leaves_whole_lines_of_what_it_had_found(tmp_path: Path) -> None:
    process, first = under_way(tmp_path)
    process.kill()
    with process:
        out, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    rows = whole(first + out)
    assert rows[0]["window_start"] == 0
    assert len(whole((tmp_path / "letters.jsonl").read_bytes())) == 1


def test_a_reader_that_leaves_ends_the_run_quietly(tmp_path: Path) -> None:
    path, stats = tmp_path / "in.jsonl", tmp_path / "stats.json"
    path.write_bytes(events(COUNT))
    assert_quiet("run", plan_file(tmp_path), "--input", path, "--stats", stats)
    assert balanced(json.loads(stats.read_text()))


@pytest.mark.parametrize(
    "arguments", [("check", "iot/air_quality"), ("demo", "iot/air_quality", "--no-broker"), ("version",)]
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_other_commands_end_quietly_too_when_their_reader_leaves(arguments: tuple[str, ...], unbuffered: str) -> None:
    assert_quiet(*arguments, env={"PYTHONUNBUFFERED": unbuffered})


def assert_quiet(*arguments: str | Path, **more: Any) -> None:
    """The command ends as by SIGPIPE, without a word of Python's, when nobody reads its output."""
    with start(*arguments, stdin=subprocess.DEVNULL, **more) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 128 + signal.SIGPIPE
    assert b"Traceback" not in err
    assert b"Exception" not in err


def test_closed_standard_streams_are_told_and_not_stumbled_over(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(events(300))
    shell = f'"$0" run {plan_file(tmp_path)} --input {path} --output {tmp_path}/out.jsonl -q <&- >&-'
    from_shell = subprocess.run(["sh", "-c", shell, COMMAND], capture_output=True, check=False)
    assert (from_shell.returncode, from_shell.stderr) == (0, b"")
    shell = f'"$0" run {plan_file(tmp_path)} --input - -q <&-'
    from_shell = subprocess.run(["sh", "-c", shell, COMMAND], capture_output=True, check=False)
    assert from_shell.returncode == 2
    assert b"no standard input" in from_shell.stderr


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.jsonl.gz", "out.jsonl.zst"])
def test_running_twice_gives_equal_bytes(tmp_path: Path, name: str) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(events(COUNT))
    written = []
    for turn in ("a", "b"):
        (tmp_path / turn).mkdir()
        done = run("run", plan_file(tmp_path), "--input", path, "--output", tmp_path / turn / name, "-q")
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        written.append((tmp_path / turn / name).read_bytes())
    assert written[0] == written[1]


def test_a_pipe_gives_what_a_file_gives(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(events(COUNT))
    of_file = run("run", plan_file(tmp_path), "--input", path, "-q").stdout
    of_pipe = run("run", plan_file(tmp_path), "--input", "-", "-q", input=events(COUNT)).stdout

    def figures(data: bytes) -> list[tuple[object, ...]]:
        return sorted((r["window_start"], r["device"], r["n"], r["mean"]) for r in whole(data))

    assert figures(of_file) == figures(of_pipe)
    assert len(figures(of_file)) == DEVICES * COUNT // 100
