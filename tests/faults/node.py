"""Brokers to be maltreated: one Apache Kafka or three; each can be stopped, killed, frozen and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.kafka import broker

REPLICATED = """
offsets.topic.replication.factor={n}
transaction.state.log.replication.factor={n}
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor={n}
share.coordinator.state.topic.min.isr=2
min.insync.replicas=2
default.replication.factor={n}
broker.session.timeout.ms=6000
replica.lag.time.max.ms=5000
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Ports of a node on this machine; clients that come by `proxied` are sent to `proxy` from then on."""

    number: int
    port: int
    controller: int
    proxied: int
    proxy: int
    outside: str = ""
    """Another address of this machine, at which PROXIED listens instead, without a proxy."""


class Node:
    """One broker in a directory of its own; what it has been told to keep outlives its processes."""

    def __init__(self, directory: Path, place: Place, voters: str, nodes: int) -> None:
        self.directory, self.place = directory, place
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self._properties = directory / "server.properties"
        self._properties.write_text(_properties(directory, place, voters, nodes))

    @property
    def bootstrap(self) -> str:
        """Where plain clients find it."""
        return f"127.0.0.1:{self.place.port}"

    @property
    def by_proxy(self) -> str:
        """Where clients find it that go through the proxy."""
        at = self.place
        return f"{at.outside}:{at.proxied}" if at.outside else f"127.0.0.1:{at.proxy}"

    def launch(self) -> None:
        """Start the process; `ready` waits for it."""
        assert self._process is None or self._process.poll() is not None, "it runs"
        broker.format_storage(self.directory, self._properties, None)
        with (self.directory / "server.log").open("ab") as out:
            self._process = subprocess.Popen(
                broker.java("kafka.Kafka", str(self._properties)),
                stdout=out, stderr=out, cwd=self.directory, start_new_session=True,
            )  # fmt: skip

    def ready(self) -> None:
        """Returns when it answers."""
        assert self._process is not None
        broker.wait_until_ready(self._process, self.place.port, self.directory / "server.log")

    def start(self) -> None:
        """Both."""
        self.launch()
        self.ready()

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._signal(signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> None:
        """Politely, and for good if it does not want to."""
        if not self.running:
            return
        assert self._process is not None
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def freeze(self) -> None:
        """It holds its sockets and says nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def answers(self) -> bool:
        """Whether it answers a metadata request within two seconds."""
        return broker.answers(self.place.port)


def _properties(directory: Path, at: Place, voters: str, nodes: int) -> str:
    text = broker.TEMPLATE.read_text()
    clients = f"PLAINTEXT://127.0.0.1:{at.port},PROXIED://{at.outside or '127.0.0.1'}:"
    for name, value in {
        "listeners": f"{clients}{at.proxied},CONTROLLER://127.0.0.1:{at.controller}",
        "advertised": f"{clients}{at.proxied if at.outside else at.proxy}",
        "controller_port": str(at.controller),
        "data": str(directory / "data"),
    }.items():
        text = text.replace("{" + name + "}", value)
    # Of a setting that stands twice the later one counts.
    text += f"\nnode.id={at.number}\ncontroller.quorum.voters={voters}\n"
    text += "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT\n"
    return text + (REPLICATED.format(n=nodes) if nodes > 1 else "")


def _four(ports: list[int], n: int) -> tuple[int, int, int, int]:
    a, b, c, d = ports[4 * n : 4 * n + 4]
    return a, b, c, d


def make_nodes(directory: Path, count: int = 1, outside: str = "") -> list[Node]:
    """Brokers of one cluster, not started. `outside`: another address at which they can be reached."""
    ports = [broker.free_port() for _ in range(4 * count)]
    places = [Place(n + 1, *_four(ports, n), outside) for n in range(count)]
    voters = ",".join(f"{p.number}@127.0.0.1:{p.controller}" for p in places)
    return [Node(directory / f"node{p.number}", p, voters, count) for p in places]


def start_all(nodes: Sequence[Node]) -> None:
    """Start those that do not run; together, as none answers without a majority."""
    stopped = [node for node in nodes if not node.running]
    for node in stopped:
        node.launch()
    for node in stopped:
        node.ready()


def until_dead(node: Node, seconds: float = 10) -> None:
    """Wait until nobody answers at its port."""
    deadline = time.monotonic() + seconds
    while node.answers():
        assert time.monotonic() < deadline, "it still answers"
