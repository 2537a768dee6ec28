"""Where a run writes: refused before anything is overwritten that should not be, and told when it cannot be written."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from lepton_stream.errors import LeptonError, UsageError
from lepton_stream.pipeline.plan import Plan

SIGPIPE = 128 + signal.SIGPIPE


def refuse_overlaps(inputs: Sequence[str], named: Mapping[str, str | Path | None]) -> None:
    """No destination is an input or another destination. `named`: option to path. Raises UsageError."""
    taken = {identity: f"--input {path}" for path in inputs if (identity := _identity(path)) is not None}
    for option, path in named.items():
        identity = None if path is None else _identity(path)
        if identity is None:
            continue
        if identity in taken:
            raise UsageError(f"{option} {path}: is the same file as {taken[identity]}; name another one")
        taken[identity] = f"{option} {path}"


def _identity(path: str | Path) -> object:
    """What makes two paths the same file; None for pipes, devices and `-`, which may be named twice."""
    if str(path) == "-":
        return None
    try:
        found = os.stat(path)  # noqa: PTH116  one call for text and Path alike
    except OSError:
        return os.path.realpath(path)
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def refuse_silent(plan: Plan, *, events: bool) -> None:
    """Nobody waits for events of a plan that has none. `events`: somebody asks for them. Raises UsageError."""
    if events and not plan.in_order:
        raise UsageError(f"--events: {plan.name} has no [[model]] or [[alarm]] that could say anything")


def refuse_unwritable(option: str, path: Path | None) -> None:
    """Find out now, not after the whole run. What the file holds stays. Raises UsageError."""
    if path is not None:
        try:
            path.open("ab").close()
        except OSError as error:
            raise unwritable(option, path, error) from None


def unwritable(option: str, path: Path, error: OSError) -> UsageError:
    """The message for a file that cannot be opened for writing."""
    return UsageError(f"{option} {path}: cannot be written: {error.strerror}; name a file you may write")


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Around writes to an open destination: a full disk is a message, a reader that left stays a BrokenPipeError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if name.endswith(" -"):
            abandon_stdout()
        wish = "what was written so far stays; make room, or name another place, and run again"
        raise LeptonError(f"{name}: writing failed: {error.strerror}; {wish}") from None


def write_stats(path: Path, totals: Mapping[str, Any]) -> None:
    """`--stats`. Raises UsageError."""
    try:
        path.write_bytes(orjson.dumps(totals, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    except OSError as error:
        raise unwritable("--stats", path, error) from None


def abandon_stdout() -> None:
    """Nobody reads it: the interpreter must not flush into it again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
