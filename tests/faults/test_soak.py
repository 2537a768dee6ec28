"""Row F27: `make soak MINUTES=60`. Faults every five seconds on average, and a witness that must not grow."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import pytest

from tests.faults import inject
from tests.faults.node import Node
from tests.faults.proxy import Proxy
from tests.faults.report import Entry
from tests.faults.scene import TEXT, Scene
from tests.kafka_pipeline.pipe import Run, until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
MINUTES = float(os.environ.get("SOAK_MINUTES", "2"))
FAULT_S = 5.0
WARM_UP = 0.4
JUDGED_MINUTES = 20
"""Shorter soaks tell the growth, and do not judge it: too few samples."""
MOST_RECORDS = 1_000_000
MOST_GROWTH = 0.01
FAULTS = ("one", "one", "all", "freeze", "freeze", "broker", "cut", "reset", "guest", "guest")
LEFT = (143, -signal.SIGTERM, 4)
"""How a guest ends: asked to leave, before it has come to hear such words, or as it finds no broker to start with."""


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


@pytest.fixture
def scene(node: Node, tmp_path: Path, entry: Entry) -> Iterator[Scene]:
    """As everywhere, with a dedup memory that is full after some minutes: what grows from then on is no state."""
    text = TEXT.replace("memory = 1_000_000", "memory = 10_000")
    assert text != TEXT
    with Scene(tmp_path, node, entry, text) as made:
        yield made


class Soak:
    """Two workers behind a proxy that suffer, guests that come and go, and the witness, which is left alone."""

    def __init__(self, scene: Scene, proxy: Proxy) -> None:
        self.scene, self.proxy = scene, proxy
        self.victims = scene.crew(2, at=scene.node.by_proxy)
        self.witness = scene.crew(1)
        self.guest: Run | None = None
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

    def fault(self) -> str:
        """One, drawn at random; the next comes whether or not this one is over."""
        what = self.scene.draw.choice(FAULTS)
        pids = self.victims.workers
        if what == "broker":
            self.scene.strike("broker killed", self.scene.node.kill)
            self.scene.node.start()
        elif what == "freeze" and pids:
            with ExitStack() as stack:
                self.scene.strike(
                    "SIGSTOP", lambda: self.hit(1, lambda one: stack.enter_context(inject.frozen(one[0])))
                )
                self.rest(self.seconds + self.scene.draw.uniform(0.5, 6))
        elif what == "cut":
            self.scene.strike("network cut", self.proxy.cut)
            self.rest(self.seconds + self.scene.draw.uniform(0.5, 6))
            self.proxy.heal()
        elif what == "reset":
            self.scene.strike("connections reset", self.proxy.reset)
        elif what == "guest":
            self.scene.strike("a guest leaves" if self.guest else "a guest comes", self.come_or_go)
        else:
            most = len(pids) if what == "all" else 1
            self.scene.strike(f"kill -9 of {most}", lambda: self.hit(most, inject.kill))
        return what

    def hit(self, most: int, what: Callable[[list[int]], object]) -> None:
        """So many of the victims as they are now, after the search for unfinished work."""
        with suppress(ProcessLookupError):  # it ends by itself where its broker was away for too long
            if pids := self.victims.workers[:most]:
                what(pids)

    def come_or_go(self) -> None:
        """The guest leaves, or another one comes."""
        guest, self.guest = self.guest, None
        if guest is None:
            self.guest = self.scene.pipe.run(workers=1)
            return
        guest.process.send_signal(signal.SIGTERM)
        assert guest.wait(60) in LEFT, guest.said


@pytest.mark.timeout(6 * 3600)
def test_f27_a_soak_changes_nothing_and_nobody_grows(scene: Scene, proxy: Proxy) -> None:
    soak, seconds = Soak(scene, proxy), MINUTES * 60
    scene.entry.test += f"[{MINUTES:g} minutes]"
    rate = int(min(2000, MOST_RECORDS / seconds))
    sender = scene.send(int(rate * seconds), rate)
    faults, told, due = Counter[str](), 0.0, 0.0
    while soak.seconds < seconds - 20:
        due += scene.draw.expovariate(1 / FAULT_S)  # from the beginning of one to that of the next
        soak.rest(min(due, seconds - 20))
        faults[soak.fault()] += 1
        assert scene._watcher is not None
        scene._watcher.check()
        if soak.seconds - told > 60:
            told = soak.seconds
            soak.tell(faults.total())
    if soak.guest is not None:
        soak.come_or_go()
    sender.wait(600)
    crews: list[Run] = [soak.victims, soak.witness]
    until(lambda: scene.pipe.counted() >= sender.sent - sender.unacked, 120, "all is counted")
    scene.settle(*crews)
    grown = growth(soak.samples)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(faults.items()))
    told_of = f"{faults.total()} faults in {MINUTES:g} minutes ({kinds})"
    scene.entry.proofs.insert(0, f"{told_of}; memory {grown:+.2%} in 10 minutes")
    assert MINUTES < JUDGED_MINUTES or grown < MOST_GROWTH, f"memory grows by {grown:.2%} in ten minutes"
