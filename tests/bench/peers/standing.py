"""From the runs of all programs to one line each: medians, how many times faster ours is, whether the bar is met."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.bench.peers.peer_list import ALL, LEPTON, Peer

Run = dict[str, Any]


@dataclass(frozen=True)
class Speed:
    """Events a second by the wall clock, and CPU seconds for a million events."""

    events_per_s: float
    cpu_s: float


@dataclass(frozen=True)
class Seen:
    """What else the runs of one size showed; `right`: windows, of the worst run. `others`: the share of the programs'
    core that other processes took, in the worst run: it slows the clock's figures down, not those in CPU."""

    runs: int
    lowest: float
    highest: float
    start_up_s: float
    peak_mb: float
    exact: bool
    right: str
    others: float


@dataclass(frozen=True)
class Line:
    """One program with so many records. `against`: ours; `seen` is None where it tells what further records cost.

    `judged`: whether the bar is for this line: the one of further records where there is one, since start-up and the
    time until all is warm are left out there.
    """

    peer: Peer
    records: str
    speed: Speed
    against: Speed | None
    seen: Seen | None = None
    judged: bool = True

    @property
    def times_speed(self) -> float | None:
        """Our events/s in its own."""
        return self.against.events_per_s / self.speed.events_per_s if self.against else None

    @property
    def times_cpu(self) -> float | None:
        """Its CPU seconds in ours."""
        return self.speed.cpu_s / self.against.cpu_s if self.against else None

    @property
    def met(self) -> bool | None:
        """Whether both reach the bar; None where it is not for this line, and where nothing of ours was measured."""
        if not self.judged or self.times_speed is None or self.times_cpu is None:
            return None
        return min(self.times_speed, self.times_cpu) >= self.peer.bar


def lines(runs: Sequence[Run]) -> list[Line]:
    """In the order of the list of peers: each size, then what the records beyond the smallest size cost."""
    ours = _sizes(runs, LEPTON.name)
    speeds, ours_further = {n: _median(group) for n, group in ours.items()}, _marginal(ours)
    found = []
    for peer in ALL:
        sizes = _sizes(runs, peer.name)
        more, more_of_ours = _marginal(sizes), None if peer.kind == "own" else ours_further
        for records, group in sizes.items():
            against = None if peer.kind == "own" else _of_size(speeds, records)
            found.append(_line(peer, records, group, against, judged=more is None or more_of_ours is None))
        if more:
            found.append(Line(peer, f"{max(sizes):,} less {min(sizes):,}", more, more_of_ours))
    return found


def _sizes(runs: Iterable[Run], name: str) -> dict[int, list[Run]]:
    """Its runs by number of records, smallest first."""
    found: dict[int, list[Run]] = {}
    for run in sorted(runs, key=lambda run: int(run["records"])):
        if run["peer"] == name:
            found.setdefault(run["records"], []).append(run)
    return found


def _of_size(ours: dict[int, Speed], records: int) -> Speed | None:
    """Ours with as many records; of a slow one, which got fewer, ours with the fewest that there are."""
    return ours.get(records) or (ours[min(ours)] if ours else None)


def _median(group: Sequence[Run]) -> Speed:
    return Speed(median(r["events_per_s"] for r in group), median(r["cpu_s_per_million"] for r in group))


def _line(peer: Peer, records: int, group: Sequence[Run], against: Speed | None, *, judged: bool) -> Line:
    speeds = [run["events_per_s"] for run in group]
    worst = min(group, key=lambda run: int(run["windows_right"]))
    seen = Seen(
        runs=len(group),
        lowest=min(speeds),
        highest=max(speeds),
        start_up_s=median(run["start_up_s"] for run in group),
        peak_mb=max(run["peak_rss_mb"] for run in group),
        exact=all(run["exact"] for run in group),
        right=f"{worst['windows_right']:,} of {worst['windows']:,}",
        others=max(run["others_share"] for run in group),
    )
    return Line(peer, f"{records:,}", _median(group), against, seen, judged)


def _marginal(sizes: dict[int, list[Run]]) -> Speed | None:
    """What the records of the largest size beyond those of the smallest took, from the medians; None where noise was
    larger than the work."""
    if len(sizes) < 2:
        return None
    few, many = min(sizes), max(sizes)
    wall = _wall_s(sizes[many]) - _wall_s(sizes[few])
    cpu = _median(sizes[many]).cpu_s * many - _median(sizes[few]).cpu_s * few
    more = many - few
    return Speed(more / wall, cpu / more) if wall > 0 and cpu > 0 else None


def _wall_s(group: Sequence[Run]) -> float:
    return median(run["wall_s"] for run in group)
