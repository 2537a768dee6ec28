"""The broker that is measured through: the one that was named, else an Apache Kafka that a checkout starts itself."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lepton_stream.bench.cores import cores, pin
from lepton_stream.bench.machine import ROOT
from lepton_stream.bench.stock import Tell
from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.embedded import embedded

EMBEDDED = "embedded"
_STARTER = Path("deploy/kafka/broker.py")
NONE = (
    "bench: no broker: name one with --broker HOST:PORT (or $KAFKA_BOOTSTRAP); only in a checkout of the repository, "
    "which has deploy/kafka, is an Apache Kafka started for you (with Java 17 and Maven)"
)


@contextmanager
def broker(named: str | None, folder: Path, tell: Tell, root: Path = ROOT) -> Iterator[str]:
    """Address of the broker; `named`: HOST:PORT, `embedded`, or nothing.

    One that is started here lives in `folder`, on the first core, and ends with the block. Raises BrokerError with the
    remedy where there is none.
    """
    if named == EMBEDDED:
        with _embedded() as address:
            yield address
        return
    if named:
        yield named
        return
    if not (root / _STARTER).exists():
        raise BrokerError(NONE)
    tell("starting Apache Kafka (the first time it is fetched, by Maven)")
    where = folder / "kafka"
    try:
        address = _asked(root, "start", where)
        pin(int((where / "pid").read_text(encoding="ascii")), cores()[0])
        yield address
    finally:
        _asked(root, "stop", where, must=False)


@contextmanager
def _embedded() -> Iterator[str]:
    with asyncio.Runner() as runner:
        held = embedded()
        connection = runner.run(held.__aenter__())
        try:
            yield connection.bootstrap
        finally:
            runner.run(held.__aexit__(None, None, None))


def _asked(root: Path, action: str, where: Path, *, must: bool = True) -> str:
    command = [sys.executable, "-m", "deploy.kafka.broker", action, "--dir", str(where)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603  (our own)
    if done.returncode and must:
        raise BrokerError(f"bench: Apache Kafka could not be started: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout.strip()
