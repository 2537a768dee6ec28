"""Several workers as one: what they keep, what they count, and what those counted that are gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from lepton_stream.telemetry.meter import Labels, Samples
from lepton_stream.telemetry.snapshot import Kept, Snapshot

Histograms = dict[str, dict[Labels, tuple[list[int], float]]]


@dataclass(frozen=True, slots=True)
class Heard:
    """The newest snapshot of a worker, and when it came, by the tally's clock."""

    snapshot: Snapshot
    at: float


@dataclass(frozen=True, slots=True)
class Whole:
    """All workers together. `heard` by worker; those that are expected and have not said anything are `silent`."""

    heard: Mapping[int, Heard]
    silent: tuple[int, ...]
    kept: Mapping[int, Kept]
    counters: Samples = field(default_factory=dict)
    histograms: Histograms = field(default_factory=dict)
    gauges: Samples = field(default_factory=dict)


class Tally:
    """Fed by the thread that runs the event loop, read by those that serve; no call takes longer than a few copies.

    What checkpoints hold stays as it was last told until somebody tells of a later one: a killed worker takes nothing
    with it, and since each account comes whole, its four outcomes always add up to what it has read. What a worker only
    counted (seconds, bytes) is kept when it is gone. Its gauges are not: nobody knows them then.
    """

    def __init__(self, clock: Callable[[], float], workers: Iterable[int] = (0,)) -> None:
        """`clock`: seconds that only go forward. `workers`: those that are expected."""
        self.clock = clock
        self._lock = threading.Lock()
        self._expected = tuple(workers)
        self._heard: dict[int, Heard] = {}
        self._kept: dict[int, Kept] = {}
        self._gone_counters: Samples = {}
        self._gone_histograms: Histograms = {}
        self._own: Snapshot | None = None

    def hear(self, worker: int, snapshot: Snapshot) -> None:
        """A worker's newest snapshot."""
        with self._lock:
            self._heard[worker] = Heard(snapshot, self.clock())
            for p, kept in snapshot.kept.items():
                if p not in self._kept or self._kept[p].number <= kept.number:
                    self._kept[p] = kept

    def gone(self, worker: int) -> None:
        """The worker's process has ended."""
        with self._lock:
            heard = self._heard.pop(worker, None)
            if heard is not None:
                add_samples(self._gone_counters, heard.snapshot.counters)
                add_histograms(self._gone_histograms, heard.snapshot.histograms)

    def add(self, snapshot: Snapshot) -> None:
        """What is known here without any worker: added to all counters; where a worker tells a gauge, it wins."""
        with self._lock:
            self._own = snapshot

    def whole(self) -> Whole:
        """All together."""
        with self._lock:
            heard, kept, own = dict(self._heard), dict(self._kept), self._own
            counters: Samples = {}
            histograms: Histograms = {}
            add_samples(counters, self._gone_counters)
            add_histograms(histograms, self._gone_histograms)
        told = [one.snapshot for one in sorted(heard.values(), key=lambda one: one.at)]
        gauges: Samples = {}
        for snapshot in [*([own] if own else []), *told]:  # of two that tell the same, the newer is right
            add_samples(counters, snapshot.counters)
            add_histograms(histograms, snapshot.histograms)
            for name, samples in snapshot.gauges.items():
                gauges.setdefault(name, {}).update(samples)
        silent = tuple(w for w in self._expected if w not in heard)
        return Whole(heard, silent, kept, counters, histograms, gauges)


def add_samples(to: Samples, more: Samples) -> None:
    """Add label by label."""
    for name, samples in more.items():
        mine = to.setdefault(name, {})
        for labels, value in samples.items():
            mine[labels] = mine.get(labels, 0.0) + value


def add_histograms(to: Histograms, more: Histograms) -> None:
    """Add bucket by bucket."""
    for name, kinds in more.items():
        mine = to.setdefault(name, {})
        for labels, (counts, total) in kinds.items():
            have, sum_ = mine.get(labels, ([0] * len(counts), 0.0))
            mine[labels] = ([a + b for a, b in zip(have, counts, strict=True)], sum_ + total)
