"""Whether an event costs the same after a hundred million others: one run, and what each part of it took."""

from __future__ import annotations

import os
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from lepton_stream import clock
from lepton_stream.bench.command import Ended, last_words, measured, totals_of
from lepton_stream.bench.cores import cores, cpu_seconds, pin
from lepton_stream.bench.engine import told
from lepton_stream.bench.moved import Moved
from lepton_stream.bench.shape import Shape, pipeline
from lepton_stream.bench.stock import Stock, Tell, prepared
from lepton_stream.bench.truth import account_of
from lepton_stream.errors import IntegrityError, LeptonError

COPY = 1_000_000
PARTS = 10
_MB = 1 << 20


class Sample(NamedTuple):
    """After so many events: CPU and clock seconds since the start, resident bytes."""

    events: int
    cpu_s: float
    wall_s: float
    resident: int


def long(events: int, tell: Tell, shape: Shape = Shape(COPY), kept: Path | None = None) -> dict[str, Any]:  # noqa: B008 (frozen)
    """Run over `events`, a multiple of those of the shape, that come by a pipe; figures of tenths as plain values.

    `kept`: where workloads are, if not in the cache folder. Raises IntegrityError where account or results are wrong.
    """
    stock = prepared(shape, tell, kept)
    with tempfile.TemporaryDirectory() as folder:
        samples = _run(stock, events // shape.records, Path(folder), tell)
    return {"shape": {**told(stock, "partials"), "events": events}, "parts": parts_of(samples)}


def _run(stock: Stock, copies: int, folder: Path, tell: Tell) -> list[Sample]:
    plan, stats, results, log = (folder / name for name in ("long.toml", "totals.json", "results.jsonl", "log"))
    plan.write_text(pipeline(stock.shape), encoding="utf-8")
    moved = Moved(stock.path.read_bytes(), stock.shape)
    read_end, write_end = os.pipe()
    files = ("--input", "-", "--output", results, "--stats", stats, "--quiet")
    process = measured().start("run", plan, *files, log=log, stdin=read_end)
    os.close(read_end)
    pin(os.getpid(), cores()[0])
    samples, each = [Sample(0, 0.0, 0.0, 0)], stock.shape.records
    began = clock.elapsed_s()
    with Ended(process), os.fdopen(write_end, "wb", buffering=0) as pipe:
        for k, copy in enumerate(moved.copies(copies), 1):
            _write(pipe.fileno(), copy, log)
            wall = clock.elapsed_s() - began
            samples.append(Sample(k * each, cpu_seconds(process.pid), wall, resident(process.pid)))
            tell(f"long: {k * each:,} of {copies * each:,} events, {samples[-1].resident / _MB:,.0f} MB")
        pipe.close()
        if process.wait():
            raise LeptonError(f"bench: `lepton-stream run` failed: {last_words(log)}")
    _refuse_wrong(stock, copies, totals_of(stats), results)
    return samples


def _write(to: int, data: Any, log: Path) -> None:
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(to, left) :]
    except BrokenPipeError:
        raise LeptonError(f"bench: `lepton-stream run` ended before its input did: {last_words(log)}") from None


def _refuse_wrong(stock: Stock, copies: int, totals: dict[str, Any], results: Path) -> None:
    account = account_of(totals, stock)
    if account != {name: count * copies for name, count in stock.account.items()}:
        raise IntegrityError(f"bench: the account is {account}, the truth {copies} times {stock.account}; report it")
    with results.open("rb") as lines:
        counted = sum(orjson.loads(line)["n"] for line in lines)
    if counted != stock.account["accepted"] * copies:
        raise IntegrityError(f"bench: the windows hold {counted:,} events, {stock.account['accepted'] * copies:,} came")


def parts_of(samples: list[Sample]) -> list[dict[str, float]]:
    """The first copy apart, since start-up is in it, then tenths of the rest: CPU seconds a million, and memory."""
    rest = samples[1:]
    step = max((len(rest) - 1) // PARTS, 1)
    ends = [samples[0], *rest[::step]]
    return [
        {
            "from_events": a.events,
            "events": b.events - a.events,
            "cpu_seconds_per_million": (b.cpu_s - a.cpu_s) / (b.events - a.events) * 1e6,
            "events_per_second": (b.events - a.events) / (b.wall_s - a.wall_s),
            "resident_mb": b.resident / _MB,
        }
        for a, b in pairwise(ends)
    ]


def resident(pid: int) -> int:
    """Bytes of memory that a process has in use; 0 if it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
