"""This checkout against another commit of it: runs in turns, so that both meet the same machine, and their ratios."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lepton_stream.bench.command import Command, measured
from lepton_stream.bench.engine import Run, one_run, told
from lepton_stream.bench.kafka import Counted, Through, to_the_end
from lepton_stream.bench.machine import ROOT, commit
from lepton_stream.bench.shape import Shape
from lepton_stream.bench.spread import Spread
from lepton_stream.bench.stock import Tell, home, prepared
from lepton_stream.errors import UsageError

OUTSIDE = "bench compare: needs a checkout of the repository with its git history; this is an installed package"


def source_of(base: str, tell: Tell, root: Path = ROOT, folder: Path | None = None) -> tuple[Path, str]:
    """The source tree of a commit, taken out once and kept in the cache folder, and its short name.

    Raises UsageError outside a checkout, and for a commit that it does not know. Files get the commit's time, so that
    what was compiled of them once is found again.
    """
    if not (root / ".git").exists():
        raise UsageError(OUTSIDE)
    name = _git(root, "rev-parse", "--verify", "--quiet", f"{base}^{{commit}}").decode().strip()[:12]
    if not name:
        raise UsageError(f"bench compare: {base} is no commit of {root}; `git fetch` it, or name another")
    target = (folder or home()) / f"base-{name}"
    if not target.exists():
        tell(f"taking out {name}")
        half = target.with_suffix(".half")
        with tarfile.open(fileobj=io.BytesIO(_git(root, "archive", name))) as files:
            files.extractall(half, filter="tar")
        half.replace(target)
    return target, name


def _git(root: Path, *words: str) -> bytes:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False)  # noqa: S603, S607
    return done.stdout if done.returncode == 0 else b""


def warmed(source: Path, tell: Tell) -> None:
    """The compiled path of a source tree, made once: else the first run would measure the compiler."""
    tell("compiling the fast path of the base (once)")
    command = Command(source)
    words = [*command.words[:-1], "lepton_stream.compiled.warm", "--quiet"]
    subprocess.run(words, env=command.environment, check=False, capture_output=True)  # noqa: S603  (our own)


def compare_engine(shape: Shape, base: str, runs: int, folder: Path, tell: Tell) -> dict[str, Any]:
    """Pairs of runs over a file. Raises UsageError, and IntegrityError where a result of ours is wrong."""
    source, name = source_of(base, tell)
    stock = prepared(shape, tell)
    warmed(source, tell)
    pairs = []
    for number in range(1, runs + 1):
        tell(f"compare: engine, pair {number} of {runs}")
        commands = [measured(ROOT), measured(source)]
        ours, theirs = in_turns(number, lambda c: one_run(stock, c, folder), commands)
        pairs.append((ours, theirs))
    return {"ours": commit(ROOT), "base": name, "shape": told(stock, "partials"), "engine": ratios(pairs)}


def compare_kafka(through: Through, shape: Shape, base: str, runs: int) -> dict[str, Any]:
    """Pairs of runs through a broker, start-up included."""
    source, _ = source_of(base, through.tell)
    through.fed(shape)
    pairs = []
    for number in range(1, runs + 1):
        through.tell(f"compare: end-to-end, pair {number} of {runs}")
        commands = [through.measured(ROOT), through.measured(source)]
        pairs.append(in_turns(number, lambda c: to_the_end(through, shape, command=c), commands))
    return ratios(pairs)


def in_turns(number: int, run: Any, commands: Sequence[Command]) -> tuple[Any, Any]:
    """Both, the other one first every second time; given back in the order of the commands."""
    order = list(commands) if number % 2 else list(reversed(commands))
    done = [run(command) for command in order]
    return (done[0], done[1]) if number % 2 else (done[1], done[0])


def ratios(pairs: Sequence[tuple[Run | Counted, Run | Counted]]) -> dict[str, Any]:
    """Ours by theirs, pair by pair: below 1 is less time than the base took."""
    return {
        "cpu_seconds": Spread.of([ours.cpu_seconds / theirs.cpu_seconds for ours, theirs in pairs]).plain(),
        "seconds": Spread.of([ours.seconds / theirs.seconds for ours, theirs in pairs]).plain(),
    }
