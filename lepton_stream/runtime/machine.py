"""Looks at this machine and what is installed on it; `doctor.machine` judges."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from lepton_stream._version import __version__
from lepton_stream.compiled import loader
from lepton_stream.doctor.machine import Compiled, Machine, parse

PRODUCT = "lepton-stream"
CGROUP = Path("/sys/fs/cgroup")


def look() -> Machine:
    """The machine as it is now."""
    wanted = requirements()
    return Machine(
        python=sys.version_info[:3],
        product=__version__,
        packages={name: version_of(name) for name, _ in map(parse, wanted)},
        wanted=wanted,
        compiled=compiled(),
        cpus=cpus(),
        memory=memory(),
    )


def requirements() -> list[str]:
    """What the installed product asks for, extras left out; empty where it runs from a bare source tree."""
    try:
        return sorted(line for line in metadata.requires(PRODUCT) or () if ";" not in line)
    except metadata.PackageNotFoundError:
        return []


def version_of(name: str) -> str | None:
    """The installed version, None without one."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def compiled() -> Compiled:
    """The compiled path as a run would have it; one that is compiled by the next run counts as in use."""
    state = loader.outlook()
    return Compiled(state.path != "portable", str(state), installed=find_spec("numba") is not None)


def cpus(cgroup: Path = CGROUP) -> float:
    """Cores that this process may use: by affinity, and by its control group."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _read(cgroup / "cpu.max").split()
    if len(quota) == 2 and all(word.isdigit() for word in quota):
        return min(float(mine), int(quota[0]) / int(quota[1]))
    return float(mine)


def memory(cgroup: Path = CGROUP, meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes that this process may use: the machine's, or its control group's if that is less."""
    total = [int(line.split()[1]) << 10 for line in _read(meminfo).splitlines() if line.startswith("MemTotal:")]
    limit = _read(cgroup / "memory.max").strip()
    return min([*total, *([int(limit)] if limit.isdigit() else [])], default=None)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
