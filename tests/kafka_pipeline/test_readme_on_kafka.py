"""The README's commands for a cluster, one after the other, on the broker that its own command starts."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lepton_stream.runtime.kafka.embedded import free_port
from tests.acceptance.commands import COMMAND, balanced
from tests.docs.test_readme_runs import COMMANDS, HERE, README, ROOT

pytestmark = pytest.mark.kafka
START, STOP = "python -m deploy.kafka.broker start --dir build/kafka --port 9092", "stop --dir build/kafka"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment with $KAFKA_BOOTSTRAP, as the README sets it; the port is a free one."""
    assert START in README
    assert STOP in README
    port, folder = str(free_port()), str(tmp_path / "kafka")
    broker = [sys.executable, *START.split()[1:3]]
    subprocess.run([*broker, "start", "--dir", folder, "--port", port], cwd=ROOT, check=True, capture_output=True)
    try:
        yield {**os.environ, "KAFKA_BOOTSTRAP": f"localhost:{port}"}
    finally:
        subprocess.run([*broker, "stop", "--dir", folder], cwd=ROOT, check=True, capture_output=True)


def ending(command: str) -> list[str]:
    """The words of a command that would go on until Ctrl-C, with the option that lets it end by itself."""
    words = shlex.split(command)[1:]
    if words[0] == "tail":
        return [*words, "--until-quiet", "1"]
    return [*words, "--until-end"] if words[0] == "run" and "--until-end" not in words else words


def test_the_commands_for_a_cluster_work_in_the_order_printed(cluster: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "lepton_stream").symlink_to(ROOT / "lepton_stream")
    printed = {}
    for command in (c for c in COMMANDS if c not in HERE):
        globbed = (sorted(map(str, tmp_path.glob(w))) if "*" in w else [w] for w in ending(command))
        words = [word for words in globbed for word in words]
        done = subprocess.run(
            [COMMAND, *words], cwd=tmp_path, env=cluster, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        printed[words[0]] = done.stdout
    stats = json.loads((tmp_path / "totals.json").read_text())
    assert balanced(stats)
    assert stats["accepted"] == 4032
    assert len((tmp_path / "newest.jsonl").read_text().splitlines()) == stats["results"] == 168
    assert re.search(r"ok", printed["doctor"])
    assert len(printed["tail"].splitlines()) == 20
