"""Start and stop one Apache Kafka node (KRaft) in a directory of its own.

    python -m deploy.kafka.broker start --dir DIR [--port PORT]
    python -m deploy.kafka.broker stop  --dir DIR

`start` returns when the broker answers a metadata request; what it says goes to DIR/server.log.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.kafka import tls
from deploy.kafka.jars import SetupError, jars, tool

TEMPLATE = Path(__file__).with_name("server.properties")
HEAP = "-Xmx512m"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
STARTED: list[subprocess.Popen[bytes]] = []
"""Keeps the handles of brokers that this process started: they outlive the call that made them."""


@dataclass(frozen=True, slots=True)
class Node:
    """A running broker: where it lives, its process, and how clients reach it."""

    directory: Path
    pid: int
    bootstrap: str
    secure_bootstrap: str = ""
    ca: Path | None = None


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def refuse_taken(port: int) -> None:
    """Raises SetupError where somebody listens on this port of 127.0.0.1: their answers would be taken for ours."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a broker that has ended do not count
        try:
            s.bind(("127.0.0.1", port))
        except OSError as error:
            raise SetupError(
                f"port {port} of 127.0.0.1 cannot be used ({error.strerror}): stop what listens there (was it started "
                "with another --dir?), or name another port with --port"
            ) from None


def write_properties(directory: Path, port: int, secure: tls.Secure | None) -> Path:
    """DIR/server.properties from the template."""
    controller = free_port()
    clients = [f"PLAINTEXT://127.0.0.1:{port}"]
    if secure:
        clients.append(f"SASL_SSL://localhost:{secure.port}")
    text = TEMPLATE.read_text()
    for name, value in {
        "listeners": ",".join([*clients, f"CONTROLLER://127.0.0.1:{controller}"]),
        "advertised": ",".join(clients),
        "controller_port": str(controller),
        "data": str(directory / "data"),
    }.items():
        text = text.replace("{" + name + "}", value)
    path = directory / "server.properties"
    path.write_text(text + (tls.properties(directory) if secure else ""))
    return path


def java(main: str, *arguments: str) -> list[str]:
    """The command line of one of Kafka's programs."""
    return [
        tool("java", "openjdk-17-jre-headless"),
        HEAP,
        "-XX:+UseSerialGC",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        f"{jars()}/*",
        main,
        *arguments,
    ]


def format_storage(directory: Path, properties: Path, secure: tls.Secure | None) -> None:
    """Prepare the data directory, once. Raises SetupError with what the tool said."""
    if (directory / "data" / "meta.properties").exists():
        return
    # Any UUID does: the directory is the cluster.
    users = tls.user_arguments(secure) if secure else []
    command = java("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", str(properties), *users)
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise SetupError(f"Kafka could not format {directory / 'data'}:\n{done.stdout}{done.stderr}")


def answers(port: int) -> bool:
    """Whether the broker on this port answers a metadata request (version 5, no topics) and names a broker."""
    request = struct.pack(">hhih6sib", 3, 5, 1, 6, b"lepton", 0, 0)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as s:
            s.sendall(struct.pack(">i", len(request)) + request)
            head = s.recv(16, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(head) == 16 and struct.unpack(">iiii", head)[3] > 0


def wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return when the broker answers. Raises SetupError with the end of its log if it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while not answers(port):
        try:
            process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            if time.monotonic() < deadline:
                continue
            process.kill()
        raise SetupError(f"Kafka did not start; the end of {log}:\n" + "\n".join(log.read_text().splitlines()[-15:]))


def start(directory: Path, port: int | None = None, secure: tls.Secure | None = None) -> Node:
    """Start a broker and wait until it answers. Raises SetupError. With `secure`: a SASL_SSL listener besides."""
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    refuse_taken(port)
    ca = tls.make_certificate(directory) if secure else None
    properties = write_properties(directory, port, secure)
    format_storage(directory, properties, secure)
    log = directory / "server.log"
    with log.open("ab") as out:
        # Its own session: a Ctrl-C in the terminal is for the tests, the broker is ended by `stop`.
        process = subprocess.Popen(  # noqa: S603
            java("kafka.Kafka", str(properties)), stdout=out, stderr=out, cwd=directory, start_new_session=True
        )
    (directory / "pid").write_text(str(process.pid))
    STARTED.append(process)
    wait_until_ready(process, port, log)
    return Node(directory, process.pid, f"127.0.0.1:{port}", f"localhost:{secure.port}" if secure else "", ca)


def is_ours(pid: int, directory: Path) -> bool:
    """Whether this process is the broker of that directory (numbers of processes are used again)."""
    try:
        return str(directory).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def stop(directory: Path) -> bool:
    """End the broker of a directory: politely, and after 20 s for good. False if none was running."""
    directory = directory.resolve()
    file = directory / "pid"
    pid = int(file.read_text()) if file.exists() else 0
    if not pid or not is_ours(pid, directory):
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while is_ours(pid, directory):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    file.unlink()
    for process in STARTED:
        if process.pid == pid:
            process.wait(STOP_SECONDS)  # its memory is gone a moment before it can be collected
    return True


def main() -> int:
    """The command line; exit code 1 with one message where a broker cannot start."""
    parser = argparse.ArgumentParser(prog="python -m deploy.kafka.broker", description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument("--dir", required=True, type=Path)
    parser.add_argument("--port", type=int, help="of the plain listener on 127.0.0.1; any free one if left out")
    given = parser.parse_args()
    if given.action == "stop":
        sys.stdout.write("stopped\n" if stop(given.dir) else "no broker was running there\n")
        return 0
    try:
        node = start(given.dir, given.port)
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{node.bootstrap}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
