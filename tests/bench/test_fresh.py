"""Memory that the machine is made to have at hand before a run."""

from __future__ import annotations

import resource
from pathlib import Path

from lepton_stream.bench.fresh import use_once

MiB = 1 << 20
HUGE = 2 * MiB


def resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def test_all_of_it_is_used_and_given_back() -> None:
    held, faults = resident(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    assert use_once(256 * MiB) > 0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults >= 256 * MiB // HUGE
    assert resident() - held < 64 * MiB
