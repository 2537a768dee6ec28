"""Who runs where: broker and generator on the first core, what is measured on the last."""

from __future__ import annotations

import contextlib
import functools
import os
from pathlib import Path


@functools.cache
def cores() -> tuple[int, int]:
    """(for broker and generator, for what is measured); the same one where there is no other."""
    mine = sorted(os.sched_getaffinity(0))
    return mine[0], mine[-1]


def pin(pid: int, core: int) -> None:
    """Hold a process with all its threads, and all it starts, to a core; nothing happens if it has ended."""
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                os.sched_setaffinity(int(task.name), {core})


def children(pid: int) -> list[int]:
    """Processes that a process has started and that still run."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has used, user and system, its threads included; 0 if it has ended."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
