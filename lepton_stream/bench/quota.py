"""Processes held to a share of a core: by a control group where one can be had, else by stopping them in turns."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PERIOD_US = 100_000
DUTY_S = 0.1
V2, V1 = Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/cpu")


@contextmanager
def held(pids: Sequence[int], share: float) -> Iterator[str]:
    """Each process gets at most this share of a core while the block runs; gives the means, for the report."""
    groups = _groups(pids, share)
    if groups:
        try:
            version = 2 if (V2 / "cgroup.controllers").exists() else 1
            yield f"control group v{version}, {share:.0%} of each 100 ms"
        finally:
            _dissolve(groups, pids)
        return
    over = threading.Event()
    turns = [threading.Thread(target=_turns, args=(pid, share, over), daemon=True) for pid in pids]
    for turn in turns:
        turn.start()
    try:
        yield f"stopped and continued (SIGSTOP, SIGCONT), {share:.0%} of each 100 ms: no control group can be had here"
    finally:
        over.set()
        for turn in turns:
            turn.join()


def _groups(pids: Sequence[int], share: float) -> list[Path]:
    """A control group for each process; none where the system does not let us."""
    made: list[Path] = []
    try:
        for pid in pids:
            group = _group(f"lepton-bench-{os.getpid()}-{pid}-{share:g}", share, made)
            (group / "cgroup.procs").write_text(str(pid), encoding="ascii")
    except OSError:
        _dissolve(made, pids)
        return []
    return made


def _group(name: str, share: float, made: list[Path]) -> Path:
    quota = str(int(share * PERIOD_US))
    if (V2 / "cgroup.controllers").exists():
        with contextlib.suppress(OSError):
            (V2 / "cgroup.subtree_control").write_text("+cpu", encoding="ascii")
        group = _made(V2 / name, made)
        (group / "cpu.max").write_text(f"{quota} {PERIOD_US}", encoding="ascii")
        return group
    group = _made(V1 / name, made)
    (group / "cpu.cfs_period_us").write_text(str(PERIOD_US), encoding="ascii")
    (group / "cpu.cfs_quota_us").write_text(quota, encoding="ascii")
    return group


def _made(group: Path, made: list[Path]) -> Path:
    if not group.parent.is_dir():
        raise FileNotFoundError(group.parent)
    group.mkdir()
    made.append(group)
    return group


def _dissolve(groups: Sequence[Path], pids: Sequence[int]) -> None:
    """Processes that still run go back to the group above; an empty group can be removed."""
    for group in groups:
        for pid in pids:
            with contextlib.suppress(OSError):
                if str(pid) in (group / "cgroup.procs").read_text(encoding="ascii").split():
                    (group.parent / "cgroup.procs").write_text(str(pid), encoding="ascii")
        with contextlib.suppress(OSError):
            group.rmdir()


def _turns(pid: int, share: float, over: threading.Event) -> None:
    try:
        while not over.is_set():
            os.kill(pid, signal.SIGCONT)
            over.wait(DUTY_S * share)
            os.kill(pid, signal.SIGSTOP)
            over.wait(DUTY_S * (1 - share))
    except ProcessLookupError:
        return
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
