"""The installed command, as people start it, and the files that it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).with_name("lepton-stream")


def start(*arguments: str | Path, **more: Any) -> subprocess.Popen[bytes]:
    """The command in a process of its own, with pipes. `within`: words before it, such as `ip netns exec NAME`."""
    within = more.pop("within", ())
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = {**os.environ, **more.pop("env", {})}
    return subprocess.Popen([*within, COMMAND, *map(str, arguments)], env=environment, **{**pipes, **more})


def run(*arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """The command to its end."""
    given = more.pop("input", None)
    with start(*arguments, **more) as process:
        out, err = process.communicate(given)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def lines(path: Path) -> list[dict[str, Any]]:
    """The JSON lines of a file, every one of them whole."""
    data = path.read_bytes()
    assert not data or data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def but_version(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Result rows as text without their version, sorted."""
    return sorted(json.dumps({k: v for k, v in row.items() if k != "version"}) for row in rows)


def but_place(events: Sequence[dict[str, Any]]) -> list[str]:
    """Events as text without the source partition and offset, sorted."""
    places = ("source_partition", "source_offset")
    return sorted(json.dumps({k: v for k, v in e.items() if k not in places}) for e in events)


def balanced(stats: dict[str, Any]) -> bool:
    """Whether the totals and those of each source add up."""
    accounts = [stats, *stats["sources"].values()]
    four = [a["accepted"] + a["duplicate"] + a["late"] + sum(a["dead_lettered"].values()) for a in accounts]
    return four == [a["read"] for a in accounts] and stats["read"] == sum(a["read"] for a in accounts[1:])
