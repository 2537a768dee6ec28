"""From samples of a session and the times of its results to the figures of one run. Times: seconds since 1970."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BUSY, QUIET = 0.6, 0.4
LOOK_AHEAD = 5


@dataclass(frozen=True)
class Sample:
    """What a session had used by then: CPU seconds, and resident bytes at that moment."""

    at: float
    cpu: float
    rss: int


def cpu_at(samples: Sequence[Sample], at: float) -> float:
    """CPU seconds used by a moment, straight between two samples; before the first sample, from nothing."""
    before = samples[0]
    for sample in samples:
        if sample.at >= at:
            span = sample.at - before.at
            share = (at - before.at) / span if span > 0 else 1.0
            return before.cpu + share * (sample.cpu - before.cpu)
        before = sample
    return before.cpu


def went_quiet(samples: Sequence[Sample], before: float) -> float | None:
    """When a session last went from work (0.6 of a core) to rest (below 0.4 over the next samples); None if never.

    Some programs give their last windows only when a later record arrives: their work ended before that.
    """
    for i in range(len(samples) - LOOK_AHEAD - 1, 0, -1):
        last, here, later = samples[i - 1], samples[i], samples[i + LOOK_AHEAD]
        if here.at < before and _rate(last, here) > BUSY and _rate(here, later) < QUIET:
            return here.at
    return None


def figures(samples: Sequence[Sample], records: int, began: float, first: float, end: float) -> dict[str, float]:
    """The figures of one run: `began` is the start of the process, `first` its first record, `end` its last result."""
    wall = max(end - first, 1e-6)
    return {
        "events_per_s": round(records / wall, 1),
        "cpu_s_per_million": round((cpu_at(samples, end) - cpu_at(samples, first)) / records * 1e6, 4),
        "wall_s": round(wall, 4),
        "start_up_s": round(first - began, 3),
        "start_up_cpu_s": round(cpu_at(samples, first), 3),
        "peak_rss_mb": round(max(sample.rss for sample in samples) / 1e6, 1),
    }


def _rate(a: Sample, b: Sample) -> float:
    return (b.cpu - a.cpu) / (b.at - a.at) if b.at > a.at else 0.0
