"""The generator of a paced stream as a process beside the broker."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict
from typing import Any

import orjson

from lepton_stream.bench.cores import cores, pin
from lepton_stream.bench.kafka import Through
from lepton_stream.bench.stream import Stream
from lepton_stream.errors import LeptonError


def started(through: Through, stream: Stream, topic: str) -> subprocess.Popen[bytes]:
    """It begins when the stream's schedule says so; whoever starts it waits for it, with `told_by`, or kills it."""
    about = asdict(stream)
    asked = {"schedule": about.pop("schedule"), "stream": about, "topic": topic, "broker": through.address}
    process = subprocess.Popen(  # noqa: S603  (our own module)
        [sys.executable, "-P", "-m", "lepton_stream.bench.generator", orjson.dumps(asked).decode()],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **through.settings},
    )  # fmt: skip
    pin(process.pid, cores()[0])
    return process


def told_by(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Wait for its end; what it sent, and how far it was behind. Raises LeptonError with its last words."""
    out, err = process.communicate()
    if process.returncode:
        raise LeptonError(f"bench: the generator failed: {err.decode(errors='replace')[-2000:].strip()}")
    told: dict[str, Any] = orjson.loads(out)
    return told
