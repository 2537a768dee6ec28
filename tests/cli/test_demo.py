"""The demo on the embedded broker: the same results as over the sample's files, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Sequence

import pytest

from lepton_stream.cli.main import outcome
from tests.acceptance.commands import run, start


def rows_of(table: str) -> list[list[str]]:
    """The table's rows as cells, sorted; they begin with a station and the day."""
    cells = (line.split() for line in table.splitlines())
    return sorted(row for row in cells if len(row) > 2 and re.fullmatch(r"\d{4}-\d\d-\d\d", row[1]))


def account_of(errors: str) -> Sequence[str]:
    return re.findall(r"read [\d,]+ = .*|[\d,]+ results", errors)


def test_the_demo_on_a_broker_publishes_what_a_run_over_the_files_gives() -> None:
    live = run("demo", "--rows", "1000", "--seconds", "2", env={"COLUMNS": "100"})
    files = run("demo", "--rows", "1000", "--no-broker", env={"COLUMNS": "100"})
    assert (live.returncode, files.returncode) == (0, 0), live.stderr.decode()
    assert len(rows_of(live.stdout.decode())) > 100
    assert rows_of(live.stdout.decode()) == rows_of(files.stdout.decode())
    assert account_of(live.stderr.decode()) == account_of(files.stderr.decode())


@pytest.mark.parametrize("whole_group", [False, True], ids=["kill", "terminal"])
def test_a_kept_demo_runs_until_ctrl_c_and_takes_its_broker_along(*, whole_group: bool) -> None:
    """A terminal sends Ctrl-C to all processes of the group: a broker that went first would be waited for in vain."""
    with start("demo", "--seconds", "1", "--keep", process_group=0) as demo:
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


def test_demo_list_names_every_shipped_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["demo", "list"]) == 0
    assert "iot/air_quality" in capsys.readouterr().out


def test_keep_without_a_broker_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["demo", "--keep", "--no-broker"]) == 2
    assert "--keep" in capsys.readouterr().err
