"""Rows F9, F11, F12 and F14: clusters that lose a broker, full disks, and clocks that jump."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults import inject
from tests.faults.node import Node, make_nodes, start_all
from tests.faults.report import Entry
from tests.faults.scene import TEXT, Scene
from tests.kafka_pipeline.pipe import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
RATE = 3000
REPLICATED = TEXT + "\n[topics]\nreplication = 3\n"
SKEWED = Path(__file__).with_name("skewed")
DISK = 192 << 20


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Node]]:
    nodes = make_nodes(tmp_path, 3)
    try:
        start_all(nodes)
        yield nodes
    finally:
        for node in nodes:
            if node.running:
                node.kill()


@pytest.mark.timeout(400)
def test_f11_leaders_and_coordinators_that_move_change_nothing(three: list[Node], tmp_path: Path, entry: Entry) -> None:
    """Each of three brokers dies in turn: NOT_LEADER and NOT_COORDINATOR, until others have taken over."""
    bootstrap = ",".join(node.bootstrap for node in three)
    with Scene(tmp_path, three[0], entry, REPLICATED, bootstrap) as scene:
        topics = [scene.pipe.source, scene.pipe.names.shuffle, scene.pipe.names.state]
        crew = scene.crew()
        scene.send(240_000, RATE)
        for n, node in enumerate(three):
            scene.beyond(scene.pipe.counted() + 3000)
            led = inject.leads(bootstrap, node.place.number, topics)
            blow = scene.strike(f"broker {n + 1} of 3 killed, leader of {led} partitions", node.kill)
            scene.recovered(blow, seconds=120)
            start_all(three)
            until(lambda: inject.in_sync(bootstrap, 3), 90, "all replicas are in step", every=0.3)
        scene.settle(crew)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Node, Path]]:
    """A broker whose logs are on a disk of 192 MiB."""
    (node,) = make_nodes(tmp_path)
    data = node.directory / "data"
    data.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(data)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        node.start()
        yield node, data
    finally:
        node.stop()
        subprocess.run(["umount", "-l", str(data)], check=True)


def test_f12_a_broker_whose_disk_is_full_changes_nothing(
    small_disk: tuple[Node, Path], tmp_path: Path, entry: Entry
) -> None:
    node, data = small_disk
    ballast = data / "ballast"
    with Scene(tmp_path, node, entry) as scene:
        crew = scene.crew()
        scene.send(60_000, RATE)
        scene.beyond(8000)

        def fill() -> None:
            with ballast.open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(1 << 16))

        blow = scene.strike("disk full", fill)
        until(lambda: not node.running, 60, "the broker has given up")
        ballast.unlink()
        node.start()
        scene.recovered(blow, seconds=90)
        scene.settle(crew)


def test_a_skewed_clock_is_off_by_what_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / "skew"
    file.write_text("3600")
    show = "import time; print(time.time())"
    env = {**os.environ, "PYTHONPATH": str(SKEWED), "SKEW_FILE": str(file)}
    plain, off = (
        float(subprocess.check_output([sys.executable, "-c", show], env=given, text=True)) for given in (None, env)
    )
    assert 3500 < off - plain < 3700
    file.write_text("0 1")
    twice = "import time; a, b = time.time(), time.monotonic()\nwhile time.monotonic() - b < 0.2: pass\n"
    twice += "print((time.time() - a) / (time.monotonic() - b))"
    fast = float(subprocess.check_output([sys.executable, "-c", twice], env=env, text=True))
    assert fast == pytest.approx(2, rel=0.1)


def test_f14_a_clock_that_jumps_by_an_hour_and_drifts_changes_nothing(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clocks that Python code of one worker of two reads; timers go by another clock, which never jumps."""
    file = tmp_path / "skew"
    file.write_text("0")
    plain = scene.crew(1)
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{SKEWED}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        patch.setenv("SKEW_FILE", str(file))
        skewed = scene.crew(1)
    scene.send(90_000, RATE)
    for told, text in (("+1 h", "3600"), ("-1 h", "-3600"), ("a tenth too fast", "0 0.1")):
        scene.beyond(scene.pipe.counted() + 8000)
        blow = scene.strike(f"clock {told}", lambda text=text: file.write_text(text))  # type: ignore[misc]
        scene.recovered(blow)
    scene.settle(plain, skewed)
