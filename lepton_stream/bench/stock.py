"""Workloads as files with their truth, made once and kept in the user's cache folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from lepton_stream.bench.shape import Shape
from lepton_stream.bench.workload import Truth, Workload
from lepton_stream.errors import UsageError

Tell: TypeAlias = Callable[[str], None]
"""Is told, in a few words, what goes on."""
_STEP = 100_000


def home() -> Path:
    """`$XDG_CACHE_HOME/lepton-stream/bench`, else the same under `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "lepton-stream" / "bench"


@dataclass(frozen=True, slots=True)
class Stock:
    """A workload at hand. `event_bytes`: of an event, on average."""

    shape: Shape
    path: Path
    account: dict[str, int]
    event_bytes: float
    truth_path: Path

    def truth(self) -> Truth:
        """Read anew each time: it may be large."""
        told = orjson.loads(self.truth_path.read_bytes())["truth"]
        return {name: {(row[0], row[1]): tuple(row[2:]) for row in rows} for name, rows in told.items()}


def prepared(shape: Shape, tell: Tell, folder: Path | None = None) -> Stock:
    """The workload's file; made, with its truth, where it is not there yet. Raises UsageError where it cannot be."""
    folder = folder or home()
    path, truth_path = folder / f"{shape.name}.jsonl", folder / f"{shape.name}.truth.json"
    if not truth_path.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _make(shape, path, truth_path, tell)
        except OSError as error:
            raise UsageError(
                f"the workload cannot be written to {folder}: {error.strerror}; free some space or name another "
                "folder with $XDG_CACHE_HOME"
            ) from None
    told = orjson.loads(truth_path.read_bytes())
    return Stock(shape, path, told["account"], told["event_bytes"], truth_path)


def _make(shape: Shape, path: Path, truth_path: Path, tell: Tell) -> None:
    workload, half = Workload(shape), path.with_suffix(".half")
    with half.open("wb") as file:
        file.writelines(_lines(workload, tell))
    size = half.stat().st_size
    half.replace(path)
    rows = {name: [[*cell, *figures] for cell, figures in cells.items()] for name, cells in workload.truth().items()}
    told: dict[str, Any] = {
        "account": workload.account,
        "event_bytes": size / max(shape.records, 1) - 1,
        "truth": rows,
    }
    half_truth = truth_path.with_suffix(".half")
    half_truth.write_bytes(orjson.dumps(told))
    half_truth.replace(truth_path)  # last: a half-made workload is made again, never used


def _lines(workload: Workload, tell: Tell) -> Iterator[bytes]:
    for i, event in enumerate(workload.events()):
        if i % _STEP == 0:
            tell(f"making {workload.shape.records:,} events: {i / workload.shape.records:.0%}")
        yield event + b"\n"
