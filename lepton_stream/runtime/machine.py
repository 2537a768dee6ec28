"""Looks at this machine and what is installed on it; `doctor.machine` judges."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from lepton_stream._version import __version__
from lepton_stream.compiled import loader
from lepton_stream.doctor.machine import Compiled, Machine, parse
from lepton_stream.memory.budget import VARIABLE, Budget, Room, budget_of
from lepton_stream.pipeline.plan import Plan

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


def room() -> Room | None:
    """What this process may use at most, and who says so; None where the system does not tell."""
    machine = memory(Path("/none"))
    group = memory(CGROUP)
    found = [] if machine is None else [Room(machine, "the machine", ours=False)]
    if group is not None and (machine is None or group < machine):
        found.append(Room(group, "the control group", ours=True))
    for limit, name in ((resource.RLIMIT_DATA, "-d"), (resource.RLIMIT_AS, "-v")):
        soft, _ = resource.getrlimit(limit)
        if soft != resource.RLIM_INFINITY:
            found.append(Room(soft, f"the limit (ulimit {name})", ours=True))
    return min(found, default=None)


def memory_budget(asked: str | None, environ: Mapping[str, str], plan: Plan | None, workers: int = 1) -> Budget:
    """What state and buffers of a worker may take: as asked for here, in the environment or in the plan, else a share.

    Raises UsageError.
    """
    wished = [("--memory", asked), (f"${VARIABLE}", environ.get(VARIABLE))]
    return budget_of([*wished, ("the plan's memory", plan.memory if plan else None)], room(), workers)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
