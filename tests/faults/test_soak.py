"""Row F27: `make soak MINUTES=60`. Faults every five seconds on average, and a witness that must not grow."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from tests.faults import inject
from tests.faults.scene import Scene
from tests.kafka_pipeline.pipe import Run, until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
MINUTES = float(os.environ.get("SOAK_MINUTES", "2"))
FAULT_S = 5.0
WARM_UP = 0.4
JUDGED_MINUTES = 20
"""Shorter soaks tell the growth, and do not judge it: too few samples."""
MOST_RECORDS = 1_000_000
MOST_GROWTH = 0.01


def resident(pid: int) -> int:
    """Bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth(samples: list[tuple[float, int]]) -> float:
    """Share by which memory grows in ten minutes, by a line through the samples behind the warm-up."""
    late = np.array(samples[int(len(samples) * WARM_UP) :], np.float64)
    slope, _ = np.polyfit(late[:, 0], late[:, 1], 1)
    return float(slope * 600 / late[:, 1].mean())


def test_a_line_through_samples_tells_the_growth() -> None:
    assert growth([(s, 1000 + s) for s in range(1000)]) == pytest.approx(600 / 1700, rel=0.01)


class Soak:
    """Two workers that suffer, and the witness, which is left alone."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.victims = scene, scene.crew(2)
        self.witness = scene.crew(1)
        self.samples: list[tuple[float, int]] = []
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.began

    def rest(self, until_s: float) -> None:
        """Look at the witness, until then."""
        while self.seconds < until_s:
            self.samples.append((self.seconds, resident(self.witness.process.pid)))
            time.sleep(min(1.0, max(until_s - self.seconds, 0.01)))

    def tell(self, faults: int) -> None:
        """How it goes, once a minute."""
        size = self.samples[-1][1] >> 20
        counted = self.scene.pipe.counted()
        print(f"soak: {self.seconds / 60:.0f} of {MINUTES:g} min, {faults} faults, {counted:,} counted, {size} MiB")  # noqa: T201

    def fault(self) -> None:
        """One, drawn at random; the next comes whether or not this one is over."""
        what = self.scene.draw.choice(("one", "one", "all", "freeze", "freeze", "broker"))
        pids = self.victims.workers
        if what == "broker":
            self.scene.strike("broker killed", self.scene.node.kill)
            self.scene.node.start()
        elif what == "freeze" and pids:
            with ExitStack() as stack:
                self.scene.strike("SIGSTOP", lambda: stack.enter_context(inject.frozen(pids[0])))
                self.rest(self.seconds + self.scene.draw.uniform(0.5, 6))
        else:
            hit = pids if what == "all" else pids[:1]
            self.scene.strike(f"kill -9 of {len(hit)}", lambda: inject.kill(hit))


@pytest.mark.timeout(6 * 3600)
def test_f27_a_soak_changes_nothing_and_nobody_grows(scene: Scene) -> None:
    soak, seconds = Soak(scene), MINUTES * 60
    rate = int(min(2000, MOST_RECORDS / seconds))
    sender = scene.send(int(rate * seconds), rate)
    faults, told, due = 0, 0.0, 0.0
    while soak.seconds < seconds - 20:
        due += scene.draw.expovariate(1 / FAULT_S)  # from the beginning of one to that of the next
        soak.rest(min(due, seconds - 20))
        soak.fault()
        faults += 1
        assert scene._watcher is not None
        scene._watcher.check()
        if soak.seconds - told > 60:
            told = soak.seconds
            soak.tell(faults)
    sender.wait(600)
    crews: list[Run] = [soak.victims, soak.witness]
    until(lambda: scene.pipe.counted() >= sender.sent - sender.unacked, 120, "all is counted")
    scene.settle(*crews)
    grown = growth(soak.samples)
    scene.entry.proofs.insert(0, f"{faults} faults in {MINUTES:g} minutes; memory {grown:+.2%} in 10 minutes")
    assert MINUTES < JUDGED_MINUTES or grown < MOST_GROWTH, f"memory grows by {grown:.2%} in ten minutes"
