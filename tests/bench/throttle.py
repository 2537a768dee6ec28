"""Two workers under a steady load, one of them held to a share of a core from some moment on: does lag stop growing?

    python -m tests.bench.throttle [--placement load|equal] [--rate 1000] [--share 0.25]

Prints lag over time, by record and by frame, what the leader decided, and after how many seconds lag was highest. Both
workers run on a core each, the portable path, by control groups; where none can be had it is skipped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from deploy.kafka import broker
from lepton_stream.bench.quota import held
from lepton_stream.chunk import SourcePartition
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.toml_front import load
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.group import Group
from lepton_stream.runtime.kafka.limits import Limits
from lepton_stream.runtime.kafka.logs import Logs
from lepton_stream.runtime.kafka.produce import Producer, Record
from lepton_stream.runtime.kafka.view import Seen, View
from lepton_stream.runtime.kafka.wire import Wire
from tests.acceptance.commands import run, start

SIZES, GROUPS = ("5s", "10s", "15s", "20s", "30s", "1m"), ("device", "place")
DEVICES, PLACES, PARTITIONS, VALUES = 400, 40, 8, 6
BATCH_S = 0.1
TO_SETTLE_S, BEFORE_S, DURING_S = 45.0, 15.0, 90.0
ALIKE = 1.02
"""A later sample that is higher by less is no growth: records come in batches, and are counted by the claim."""


def plan_text() -> str:
    """A pipeline that takes much work a record: a quarter of a core is too little for half of it, two cores plenty."""
    functions = {"mean": "mean({})", "std": "std({})", "p50": "quantile({}, 0.5)", "p95": "quantile({}, 0.95)"}
    results = "\n".join(f'{name}{i} = "{f.format(f"v{i}")}"' for i in range(VALUES) for name, f in functions.items())
    sections = "\n".join(
        f'[[window]]\nname = "{group}-{size}"\nkind = "tumbling"\nsize = "{size}"\nlateness = "5s"\n'
        f'group_by = ["{group}"]\n[window.results]\nn = "count()"\n{results}\n'
        for size in SIZES
        for group in GROUPS
    )
    fields = "\n".join(f'v{i} = "float"' for i in range(VALUES))
    return (
        'name = "throttle"\n[source]\ntopic = "throttle.v1"\nformat = "json"\ntime = "ts"\ntime_unit = "ms"\n'
        'key = ["device"]\nid = ["device", "n"]\n'
        f'[fields]\ndevice = "str"\nplace = "str"\nn = "int"\nts = "int"\n{fields}\n'
        f"[topics]\npartitions = {PARTITIONS}\n[dedup]\nmemory = 100_000\n{sections}"
    )


class Sample(NamedTuple):
    """What waited `at_s` seconds after the throttling began; negative: before it."""

    at_s: float
    records: int
    frames: int


def stopped_growing(at_s: Sequence[float], lag: Sequence[int]) -> float | None:
    """The time after which the lag was never higher than before; None where that is the end, or nothing was seen.

    0 where it never was half as high again as at its highest before the throttling.
    """
    pairs = list(zip(at_s, lag, strict=True))
    after = [(at, waits) for at, waits in pairs if at >= 0]
    highest, since = 1.5 * max((waits for at, waits in pairs if at < 0), default=0), 0.0
    for at, waits in after:
        if waits > highest * ALIKE:
            highest, since = float(waits), at
    return since if after and since < after[-1][0] - 10.0 else None


async def steady(connection: Connection, topic: str, rate: int) -> None:
    """So many records a second, by the clock, until cancelled; a late batch is made up for."""
    draw, sent, began = random.Random(1), 0, time.monotonic()
    async with Producer(connection) as producer:
        while True:
            due = int((time.monotonic() - began) * rate)
            now_ms = time.time_ns() // 1_000_000
            await producer.send_all([_record(topic, n, now_ms, draw.gauss(20, 5)) for n in range(sent, due)])
            sent = due
            await asyncio.sleep(BATCH_S)


def _record(topic: str, n: int, now_ms: int, value: float) -> Record:
    device = n % DEVICES
    values = ",".join(f'"v{i}":{value + i:.2f}' for i in range(VALUES))
    text = f'{{"device":"device-{device}","n":{n},"ts":{now_ms},"place":"place-{device % PLACES}",{values}}}'
    return Record(SourcePartition(topic, device % PARTITIONS), text.encode(), f"device-{device}".encode())


class Scene:
    """A broker's group under observation."""

    def __init__(self, wire: Wire, plan_path: Path) -> None:
        plan = load(plan_path)
        self.names = names(plan)
        self.sources = [SourcePartition(self.names.source, p) for p in range(PARTITIONS)]
        self.shuffle = [SourcePartition(self.names.shuffle, p) for p in range(PARTITIONS)]
        logs = Logs(wire, committed_only=True)
        self._view = View(plan, Group(wire, self.names.group), logs, self.sources, self.shuffle, Limits())
        self.samples: list[Sample] = []

    async def watch(self, began: float, seconds: float) -> None:
        """A sample a second, shown every fifth."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            seen: Seen = await self._view.look()
            waits = [sum(map(seen.behind, tps)) for tps in (self.sources, self.shuffle)]
            self.samples.append(Sample(time.monotonic() - began, *waits))
            if len(self.samples) % 5 == 1:
                print("{:+7.0f} s  {:>9,} records  {:>7,} frames".format(*self.samples[-1]), flush=True)
            await asyncio.sleep(1.0)


class SkippedError(Exception):
    """This machine gives us no control groups; says what it has instead."""


def _worker(folder: Path, number: int, bootstrap: str, placement: str, *more: str) -> subprocess.Popen[bytes]:
    with (folder / f"worker-{number}.log").open("wb") as log:
        return start(
            "run", folder / "throttle.toml", "--broker", bootstrap, "--placement", placement, "--metrics", "off",
            "--log-format", "json", *more,
            env={"LEPTON_STREAM_COMPILED": "off"}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip


async def scenario(folder: Path, bootstrap: str, asked: argparse.Namespace) -> Scene:
    """The whole course; what was seen of it."""
    plan = folder / "throttle.toml"
    plan.write_text(plan_text(), encoding="utf-8")
    assert run("topics", "apply", plan, "--broker", bootstrap).returncode == 0
    connection, workers = Connection(bootstrap), list[subprocess.Popen[bytes]]()
    async with Wire(connection) as wire:
        scene = Scene(wire, plan)
        sending = asyncio.create_task(steady(connection, scene.names.source, asked.rate))
        try:
            workers += [_worker(folder, n, bootstrap, asked.placement) for n in range(2)]
            with held([worker.pid for worker in workers], 1.0) as means:
                if not means.startswith("control group"):
                    raise SkippedError(means)
                throttling_at = time.monotonic() + TO_SETTLE_S + BEFORE_S
                await asyncio.sleep(TO_SETTLE_S)
                await scene.watch(throttling_at, BEFORE_S)
                with held([workers[0].pid], asked.share) as means:
                    print(f"one of two workers: {means}", flush=True)
                    await scene.watch(time.monotonic(), DURING_S)
            assert not sending.done(), sending.exception()
            assert [worker.poll() for worker in workers] == [None, None]
        finally:
            sending.cancel()
            for worker in workers:
                worker.kill()
                worker.wait()
    return scene


def facts(folder: Path) -> list[str]:
    """What workers said about placement, in order of time."""
    said = [json.loads(line) for log in folder.glob("worker-*.log") for line in log.read_text().splitlines()]
    lines = []
    for one in sorted(said, key=itemgetter("ts")):
        if one["event"] == "placement_asked":
            lines.append(f"{one['ts'][11:19]} a worker asks: use {one['use']}, capacity {one['capacity']} cores")
        elif one["event"] == "decided" and one["knob"] == "placement":
            brought = "" if one["delivered"] is None else f"; it brought {one['delivered']:.2f}"
            lines.append(f"{one['ts'][11:19]} {one['choice']}: {one['why']}{brought}")
    return lines


def told(scene: Scene) -> float | None:
    """The course in a line a measure; seconds until neither lag grew any more."""
    times = [sample.at_s for sample in scene.samples]
    ends = {
        what: stopped_growing(times, [getattr(sample, what) for sample in scene.samples])
        for what in ("records", "frames")
    }
    for what, end in ends.items():
        highest = f"highest {end:.0f} s after the throttling" if end else "did not grow"
        print(f"lag in {what}: {'went on growing' if end is None else highest}")
    found = [end for end in ends.values() if end is not None]
    return max(found) if len(found) == len(ends) else None


def main(argv: Sequence[str] | None = None) -> int:
    """0 where lag stopped growing within a minute."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--placement", choices=("load", "equal"), default="load")
    parser.add_argument("--rate", type=int, default=1000, help="records a second")
    parser.add_argument("--share", type=float, default=0.25, help="of a core")
    asked = parser.parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="lepton-throttle-"))
    try:
        scene = asyncio.run(scenario(folder, broker.start(folder / "kafka").bootstrap, asked))
        print(*facts(folder), sep="\n")
    except SkippedError as why:
        print(f"throttle: skipped, for want of control groups: {why}")
        return 0
    finally:
        broker.stop(folder / "kafka")
        shutil.rmtree(folder, ignore_errors=True)
    seconds = told(scene)
    cores = os.cpu_count()
    print(
        f"placement {asked.placement}, {asked.rate:,} records a second, {asked.share:g} of a core, {cores} cores: "
        + ("lag never stopped growing" if seconds is None else f"lag stopped growing after {seconds:.0f} s")
    )
    return 0 if seconds is not None and seconds <= 60 else 1


if __name__ == "__main__":
    sys.exit(main())
