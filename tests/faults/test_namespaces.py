"""Rows F5 and F6 on a real network: a worker in a namespace of its own, whose cable is cut by the kernel."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.namespace import GUEST, HOST, Namespace, lacking
from tests.faults.node import Node, make_nodes
from tests.faults.report import Entry
from tests.faults.scene import Scene, stop
from tests.kafka_pipeline.pipe import alive, until

WHY_NOT = lacking()
pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]
RECORDS, RATE = 60_000, 3000
CUT_S = 30.0
ECHO = """
import socket
with socket.create_server(("{guest}", 0)) as server:
    print(server.getsockname()[1], flush=True)
    one, _ = server.accept()
    while data := one.recv(100):
        one.sendall(data)
"""


@pytest.fixture(scope="module")
def island() -> Iterator[Namespace]:
    with Namespace() as made:
        yield made


@pytest.fixture(scope="module")
def near(island: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    (node,) = make_nodes(tmp_path_factory.mktemp("island"), outside=HOST)
    try:
        node.start()
        yield node
    finally:
        node.stop()


def answers(one: socket.socket) -> bool:
    """Whether what is said comes back."""
    try:
        one.sendall(b"x")
        return one.recv(1) == b"x"
    except TimeoutError:
        return False


def test_a_cut_cable_passes_nothing_and_a_healed_one_what_was_held_back(island: Namespace) -> None:
    echo = subprocess.Popen(
        [*island.within, sys.executable, "-c", ECHO.format(guest=GUEST)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert echo.stdout is not None
        with socket.create_connection((GUEST, int(echo.stdout.readline())), 5) as one:
            one.settimeout(1)
            assert answers(one)
            for up in (True, False):
                island.cut(up=up)
                assert not answers(one), "a cut cable answers"
                island.heal()
                one.settimeout(20)
                assert one.recv(1) == b"x", "what was held back was lost"
                one.settimeout(1)
    finally:
        echo.kill()
        echo.communicate()


def cut(folder: Path, near: Node, island: Namespace, entry: Entry, *, up: bool) -> None:
    with Scene(folder, near, entry) as scene:
        plain = scene.crew(1)
        broker, scene.pipe.bootstrap = scene.pipe.bootstrap, near.by_proxy
        behind = scene.pipe.run(workers=1, within=island.within)
        scene.pipe.bootstrap = broker
        until(lambda: scene.pipe.members() == 2, 60, "both are members")
        scene.send(RECORDS, RATE)
        scene.beyond(RECORDS // 10)
        blow = scene.strike("cable cut" if up else "answers cut off", lambda: island.cut(up=up))
        try:
            scene.recovered(blow)
            until(lambda: time.monotonic() - blow.at > CUT_S, CUT_S + 10, "the cut lasts", every=0.2)
        finally:
            island.heal()
        until(lambda: scene.pipe.members() == 2 or not alive(behind.process.pid), 60, "it is back, or has ended")
        if alive(behind.process.pid):
            stop(behind)
        else:
            assert behind.wait() in (1, 4), behind.said
        scene.settle(plain)


def test_f05_a_worker_whose_cable_is_cut_changes_nothing(
    near: Node, island: Namespace, entry: Entry, tmp_path: Path
) -> None:
    cut(tmp_path, near, island, entry, up=True)


def test_f06_a_worker_that_no_packet_reaches_changes_nothing(
    near: Node, island: Namespace, entry: Entry, tmp_path: Path
) -> None:
    cut(tmp_path, near, island, entry, up=False)
