"""The installed command, held to a core, and the pipeline of the published workload: for measuring beside others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMMAND = Path(sys.executable).with_name("lepton-stream")
PIPELINE = Path("tests/data/workload.toml")


def command(*words: object, core: int | None = None) -> None:
    """Run lepton-stream, held to a core if one is given."""
    hold = None if core is None else (lambda: os.sched_setaffinity(0, {core}))
    subprocess.run([str(COMMAND), *map(str, words)], check=True, preexec_fn=hold, stdout=subprocess.DEVNULL)
