"""Results as a consumer gets them, each with the moment it could read it, and how fresh they were then."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from lepton_stream import clock
from lepton_stream.bench.schedule import SECOND_US
from lepton_stream.bench.stream import LATENESS_US
from lepton_stream.bench.workload import Cell, Figures
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.tail import bounds_of, consumer_at

LOOK_MS = 50


@dataclass
class Received:
    """Values of result records by the moment (microseconds since 1970) at which they could be read."""

    batches: list[tuple[int, list[bytes]]] = field(default_factory=list)
    finals: int = 0

    def take(self, now_us: int, values: Sequence[bytes]) -> None:
        """These came; they are read later, so that the reader never waits for itself."""
        self.batches.append((now_us, list(values)))
        self.finals += sum(b'"final":true' in value for value in values)

    def rows(self) -> list[tuple[int, dict[str, Any]]]:
        """All of them, in the order they came."""
        return [(at, orjson.loads(value)) for at, values in self.batches for value in values]


async def receive(connection: Connection, topic: str, into: Received, ready: asyncio.Event) -> None:
    """Until cancelled: all that is published from now on."""
    bounds = await bounds_of(connection, topic)
    async with consumer_at(connection, bounds.from_last(0)) as consumer:
        ready.set()
        while True:
            got = await consumer.getmany(timeout_ms=LOOK_MS)
            if got:
                into.take(clock.now_us(), [r.value for some in got.values() for r in some if r.value is not None])


def final_freshness(rows: Sequence[tuple[int, dict[str, Any]]], begin_us: int, end_us: int) -> NDArray[np.float64]:
    """Seconds between a window's end plus its lateness and its final result, of windows that were due in between.

    A window that only closed because the stream had ended says nothing of a stream that goes on: hence `end_us`.
    """
    due = [(at, row["window_end"] * 1000 + LATENESS_US) for at, row in rows if row["final"]]
    return np.array([(at - d) / SECOND_US for at, d in due if begin_us <= d < end_us])


def update_freshness(rows: Sequence[tuple[int, dict[str, Any]]], begin_us: int) -> NDArray[np.float64]:
    """Seconds between the intended time of the newest event in an update and the update, of events since `begin_us`."""
    newest = [(at, row["newest"] * SECOND_US) for at, row in rows if not row["final"]]
    return np.array([(at - t) / SECOND_US for at, t in newest if t >= begin_us])


def figures_of(rows: Sequence[tuple[int, Mapping[str, Any]]]) -> dict[Cell, Figures]:
    """The newest final result of every device and window."""
    newest: dict[Cell, tuple[int, Figures]] = {}
    for _, row in rows:
        cell = (row["device"], row["window_start"])
        if row["final"] and row["version"] >= newest.get(cell, (0,))[0]:
            newest[cell] = row["version"], (row["n"], row["mean"], row["min"], row["max"])
    return {cell: figures for cell, (_, figures) in newest.items()}
