"""What a measurement must name to be worth anything later: machine, versions, date."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from deploy.kafka.jars import VERSION as KAFKA
from lepton_stream import clock
from lepton_stream._version import __version__
from tests.bench.peers.installing import versions
from tests.bench.peers.peer_list import Peer


def today() -> str:
    """Date and minute, UTC."""
    return datetime.fromtimestamp(clock.now_us() / 1e6, UTC).strftime("%Y-%m-%d %H:%M")


def machine() -> dict[str, str | int]:
    """Processor, cores that we may use, memory, system."""
    told = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next((line.split(": ", 1)[1] for line in told if line.startswith("model name")), platform.machine())
    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "java": _java(),
        "kafka": KAFKA,
    }


def all_versions(peers: list[Peer]) -> dict[str, list[str]]:
    """By peer: what was installed."""
    return {peer.name: [f"lepton-stream {__version__}"] if peer.kind == "own" else versions(peer) for peer in peers}


def _java() -> str:
    """The broker needs it, so it is there."""
    said = subprocess.run(["java", "-version"], check=True, capture_output=True, text=True).stderr
    return said.split('"')[1]
