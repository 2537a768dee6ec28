"""Where and with what something was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from lepton_stream import clock
from lepton_stream._version import __version__
from lepton_stream.compiled import loader
from lepton_stream.runtime.machine import memory, version_of

PACKAGES = ("aiokafka", "faust-streaming", "numba", "numpy", "orjson")
ROOT = Path(__file__).resolve().parents[2]


def facts(command: str) -> dict[str, Any]:
    """The machine, versions, date and load at this moment; `command`: what is being measured with."""
    date = np.datetime64(clock.now_us() // 1_000_000, "s")
    return {
        "command": command,
        "date": f"{date}Z",
        "machine": {
            "cpu": processor(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_bytes": memory() or 0,
            "system": f"{platform.system()} {platform.release()}",
            "load_before": round(os.getloadavg()[0], 2),
        },
        "versions": {
            "lepton-stream": __version__,
            "commit": commit(ROOT),
            "python": platform.python_version(),
            **{name: version_of(name) or "none" for name in PACKAGES},
            "path": str(loader.outlook()),
        },
    }


def processor() -> str:
    """The name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return " ".join((named or [platform.machine()])[0].split())


def commit(root: Path, but: str = "") -> str:
    """The commit of a checkout, with `+` where files differ from it, `but` for a pathspec; nothing elsewhere."""
    if not (root / ".git").exists():
        return ""
    head = _git(root, "rev-parse", "--short=12", "HEAD")
    apart = ("--", ".", f":!{but}") if but else ()
    return head + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no", *apart) else "")


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)  # noqa: S603, S607
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
