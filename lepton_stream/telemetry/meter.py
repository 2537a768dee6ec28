"""What a process counts while it works: plain dictionaries, written by one thread and copied into snapshots."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import TypeAlias

from lepton_stream.telemetry.catalogue import Metric

Labels: TypeAlias = tuple[str, ...]
Samples: TypeAlias = dict[str, dict[Labels, float]]
"""By name of the metric, then by label values; the pipeline, which comes first in every metric, is left out."""


class Histogram:
    """`counts`: observations a bucket, the last one those above every bound; `total`: their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """Add an observation, or several of the same value."""
        self.counts[bisect_left(self.bounds, value)] += times
        self.total += value * times


class Meter:
    """Counters and histograms of one process; they begin at zero with it."""

    def __init__(self) -> None:
        self._counters: Samples = {}
        self._histograms: dict[str, dict[Labels, Histogram]] = {}

    def add(self, metric: Metric, amount: float, *labels: str) -> None:
        """Count on."""
        samples = self._counters.setdefault(metric.name, {})
        samples[labels] = samples.get(labels, 0.0) + amount

    def observe(self, metric: Metric, value: float, *labels: str, times: int = 1) -> None:
        """Into a histogram."""
        kinds = self._histograms.setdefault(metric.name, {})
        found = kinds.get(labels)
        if found is None:
            found = kinds[labels] = Histogram(metric.buckets)
        found.observe(value, times)

    def declare(self, metric: Metric, labels: Iterable[Labels]) -> None:
        """Show these at zero from the start: a counter that appears with its first event hides it from rates."""
        if metric.kind == "histogram":
            for one in labels:
                self._histograms.setdefault(metric.name, {}).setdefault(one, Histogram(metric.buckets))
        else:
            samples = self._counters.setdefault(metric.name, {})
            for one in labels:
                samples.setdefault(one, 0.0)

    def counters(self) -> Samples:
        """A copy."""
        return {name: dict(samples) for name, samples in self._counters.items()}

    def histograms(self) -> dict[str, dict[Labels, tuple[list[int], float]]]:
        """A copy: (counts a bucket, sum)."""
        return {
            name: {labels: (list(h.counts), h.total) for labels, h in kinds.items()}
            for name, kinds in self._histograms.items()
        }
