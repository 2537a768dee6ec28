"""Processes held to a share of a core, by whichever means there is, and let go afterwards."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lepton_stream.bench import quota
from lepton_stream.bench.cores import cpu_seconds
from lepton_stream.bench.quota import held

BUSY = "while True: pass"


@pytest.fixture
def busy() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", BUSY]) as process:
        yield process.pid
        process.kill()


def used(pid: int, seconds: float) -> float:
    """CPU seconds within so many seconds: a quota is about real time, so that this one waits."""
    before = cpu_seconds(pid)
    time.sleep(seconds)
    return cpu_seconds(pid) - before


def groups() -> list[Path]:
    return [p for top in (quota.V1, quota.V2) if top.is_dir() for p in top.glob("lepton-bench-*")]


@pytest.mark.parametrize("means", ["any", "turns"])
def test_a_busy_process_gets_its_share_and_no_more(busy: int, means: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if means == "turns":
        monkeypatch.setattr(quota, "_groups", lambda *_: [])
    with held([busy], 0.2) as told:
        assert ("SIGSTOP" in told) or means == "any"
        used(busy, 0.3)  # the first period may be a whole one
        assert used(busy, 1.5) <= 1.5 * 0.2 * 1.5 + 0.05
    assert groups() == []
    assert Path(f"/proc/{busy}/stat").read_text().split()[2] in "RS"


def test_a_process_that_ends_while_it_is_held_is_no_error() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY]) as process, held([process.pid], 0.5):
        process.kill()
        process.wait()
    assert groups() == []
