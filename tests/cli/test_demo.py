"""The demo on the embedded broker: the same results as over the sample's files, and nothing left behind."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
from collections.abc import Sequence

import pytest
from rich.console import Console

from lepton_stream.cli.demo_table import newest, tables_of
from lepton_stream.cli.main import outcome
from lepton_stream.pipeline.source import find, shipped
from tests.acceptance.commands import run, start


def rows_of(table: str) -> list[list[str]]:
    """The table's rows as cells, sorted; they begin with a station and the day."""
    cells = (line.split() for line in table.splitlines())
    return sorted(row for row in cells if len(row) > 2 and re.fullmatch(r"\d{4}-\d\d-\d\d", row[1]))


def account_of(errors: str) -> Sequence[str]:
    return re.findall(r"read [\d,]+ = .*|[\d,]+ results", errors)


def test_the_demo_on_a_broker_publishes_what_a_run_over_the_files_gives() -> None:
    live = run("demo", "iot/air_quality", "--rows", "1000", "--seconds", "2", env={"COLUMNS": "100"})
    files = run("demo", "iot/air_quality", "--rows", "1000", "--no-broker", env={"COLUMNS": "100"})
    assert (live.returncode, files.returncode) == (0, 0), live.stderr.decode()
    assert len(rows_of(live.stdout.decode())) > 100
    assert rows_of(live.stdout.decode()) == rows_of(files.stdout.decode())
    assert account_of(live.stderr.decode()) == account_of(files.stderr.decode())


@pytest.mark.parametrize("whole_group", [False, True], ids=["kill", "terminal"])
def test_a_kept_demo_runs_until_ctrl_c_and_takes_its_broker_along(*, whole_group: bool) -> None:
    """A terminal sends Ctrl-C to all processes of the group: a broker that went first would be waited for in vain."""
    with start("demo", "iot/air_quality", "--seconds", "1", "--keep", process_group=0) as demo:
        assert demo.stdout is not None
        told = ""
        while "Still running" not in told:
            line = demo.stdout.readline().decode()
            assert line, demo.stderr.read().decode() if demo.stderr else ""
            told += line
        found = re.search(r"127\.0\.0\.1:(\d+)", told)
        assert found
        (os.killpg if whole_group else os.kill)(demo.pid, signal.SIGINT)
        try:
            demo.communicate(timeout=30)
        finally:
            demo.kill()
    assert demo.returncode == 0
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", int(found[1]))) != 0


@pytest.mark.parametrize("words", [["demo"], ["demo", "list"]])
def test_demo_without_a_name_tells_of_every_shipped_pipeline_in_a_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome(words) == 0
    told = capsys.readouterr().out.splitlines()
    listed = dict(line.split(maxsplit=1) for line in told[: told.index("")])
    assert tuple(listed) == shipped()
    assert all(len(what) > 20 for what in listed.values())
    assert told[-1].endswith("lepton-stream demo NAME")


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_pipeline_has_a_demo_that_fits_a_terminal_of_80_characters(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert outcome(["demo", name, "--no-broker"]) == 0
    out, err = capsys.readouterr()
    assert find(name).name in out + err
    assert len(out.splitlines()) > 5
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= 80


def test_tables_keep_the_newest_of_each_window_and_tell_of_columns_that_do_not_fit() -> None:
    minute = {"machine": "m", "window": "minute", "window_start": 60_000, "mean": 1.38756}
    seconds = [{"machine": "m", "window": "second", "window_start": 1000 * s, "range": 20.25} for s in (1, 2, 3)]
    shown = newest([*seconds[:2], minute, seconds[2]], 2)
    assert shown == [seconds[1], minute, seconds[2]]
    narrow, out = Console(file=io.StringIO(), width=24), io.StringIO()
    Console(file=out, width=80).print(tables_of("two windows", shown, Console(width=80)))
    told = out.getvalue()
    assert "1.38756" in told  # small values keep six digits, others one decimal
    assert "20.2" in told
    assert told.index("00:00:02") < told.index("00:00:03")
    assert "1970-01-01 00:01" in told
    narrow.print(tables_of("narrow", [minute], narrow))
    assert isinstance(narrow.file, io.StringIO)
    assert "a wider terminal has" in narrow.file.getvalue()
    assert "1.38756" not in narrow.file.getvalue()


def test_keep_without_a_broker_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["demo", "iot/air_quality", "--keep", "--no-broker"]) == 2
    assert "--keep" in capsys.readouterr().err


def test_a_list_of_frequent_values_stands_below_each_other_and_percents_have_one_decimal() -> None:
    top = [{"value": "lamp", "count": 1200, "error": 0}, {"value": "bag\n", "count": 7, "error": 0}]
    row = {"window": "day", "window_start": 0, "most_lines": top, "low_pct": 1.04167}
    console = Console(file=io.StringIO(), width=38)
    console.print(tables_of("top", [row], console))
    assert isinstance(console.file, io.StringIO)
    told = [line.split() for line in console.file.getvalue().splitlines()]
    assert ["1970-01-01", "00:00", "lamp", "1,200", "1.0"] in told
    assert told[-1][-1] == "7"


def test_a_pipeline_without_a_sample_of_its_own_takes_that_of_its_topic(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["demo", "iot/air_quality_index", "--no-broker"]) == 0
    assert "read 4,032 = accepted 4,032" in capsys.readouterr().err
