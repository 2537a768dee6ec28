"""What a worker has seen since it last looked, and over its last looks: sums, and the load as they show it."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from lepton_stream.autopilot.growth import Cells
from lepton_stream.autopilot.seen import FoldSeen, PrepareSeen, SectionSeen
from lepton_stream.autopilot.setting import Route

LOOKS, FLUSHES, LONGEST = 5, 4, 60
"""Looks that are kept: so many, and more while they hold fewer flushes, up to a longest time."""
OTHER_CELLS, OTHER_SHARE = math.log(1.5), 0.2
"""Data has changed when cells a row differ by this factor (as a logarithm), or the share of hot rows by so much."""


_NO_FRAMES = FoldSeen(0, 0, 0, 0, 0.0)


@dataclass(slots=True)
class SectionSums:
    """Of one section and one route."""

    flushes: int = 0
    rows: int = 0
    cells: int = 0
    hot_rows: int = 0
    hot_cells: int = 0

    def add(self, seen: SectionSeen | SectionSums, flushes: int = 1) -> None:
        """Another range, or other sums."""
        self.flushes += flushes
        self.rows += seen.rows
        self.cells += seen.cells
        self.hot_rows += seen.hot_rows
        self.hot_cells += seen.hot_cells

    def mean(self) -> Cells:
        """Of one flush."""
        n = max(self.flushes, 1)
        return Cells(self.rows / n, self.cells / n, self.hot_rows / n, self.hot_cells / n)


@dataclass(slots=True)
class Sums:
    """Since one look. `sections`: of each, by route. `sources`: who sent the ranges."""

    sections: tuple[dict[Route, SectionSums], ...]
    seconds: float = 0.0
    flushes: int = 0
    records: int = 0
    sources: set[int] = field(default_factory=set)
    common_cpu_s: float = 0.0
    route_cpu_s: float = 0.0
    compress_cpu_s: float = 0.0
    flush_cpu_s: float = 0.0
    frame_bytes: int = 0
    sent_bytes: int = 0
    folded: FoldSeen = _NO_FRAMES

    @classmethod
    def empty(cls, sections: int) -> Sums:
        """Nothing yet."""
        return cls(tuple({} for _ in range(sections)))

    def prepared(self, seen: PrepareSeen) -> None:
        """Another range."""
        self.flushes += 1
        self.records += seen.records
        self.sources.add(seen.source)
        for sums, section in zip(self.sections, seen.sections, strict=True):
            sums.setdefault(section.route, SectionSums()).add(section)
        self.common_cpu_s += seen.common_cpu_s
        self.route_cpu_s += seen.route_cpu_s
        self.compress_cpu_s += seen.compress_cpu_s
        self.flush_cpu_s += seen.flush_cpu_s
        self.frame_bytes += seen.frame_bytes
        self.sent_bytes += seen.sent_bytes

    def fold(self, seen: FoldSeen) -> None:
        """Another run of frames."""
        f = self.folded
        self.folded = FoldSeen(
            f.frames + seen.frames, f.rows + seen.rows, f.cells + seen.cells, f.bytes + seen.bytes, f.cpu_s + seen.cpu_s
        )


@dataclass(frozen=True, slots=True)
class Load:
    """What comes, as means of one flush. `cycle_s`: from one flush of a source to the next; `cells`: of each section.

    The costs are CPU seconds a record: `common`, `route`, `compress`, `flush`. `frame_bytes`, `sent_bytes`: a record.
    """

    flushes: int
    seconds: float
    cycle_s: float
    records: float
    cells: tuple[Cells, ...]
    common: float
    route: float
    compress: float
    flush: float
    frame_bytes: float
    sent_bytes: float

    @property
    def pace(self) -> float:
        """Records a second of all sources."""
        return self.records * self.flushes / self.seconds


def load_of(looks: list[Sums]) -> Load | None:
    """None where nothing came."""
    flushes, records = sum(s.flushes for s in looks), sum(s.records for s in looks)
    seconds = sum(s.seconds for s in looks)
    if not flushes or not records or seconds <= 0.0:
        return None
    sources = len(set().union(*(s.sources for s in looks)))
    cells = []
    for i in range(len(looks[0].sections)):
        sums = SectionSums()
        for look in looks:
            for one in look.sections[i].values():
                sums.add(one, one.flushes)
        cells.append(sums.mean())
    return Load(
        flushes,
        seconds,
        max(sources * seconds / flushes, 1e-6),
        records / flushes,
        tuple(cells),
        *(sum(getattr(s, name) for s in looks) / records for name in _EACH),
    )


_EACH = ("common_cpu_s", "route_cpu_s", "compress_cpu_s", "flush_cpu_s", "frame_bytes", "sent_bytes")


def differs(a: tuple[Cells, ...], b: tuple[Cells, ...]) -> bool:
    """Whether the data itself is another: cells a row, or the share of rows that are in hot cells."""
    return any(_other(x, y) for x, y in zip(a, b, strict=True))


def _other(x: Cells, y: Cells) -> bool:
    if x.rows < 1.0 or y.rows < 1.0:
        return (x.rows < 1.0) != (y.rows < 1.0)
    cells = abs(math.log((x.cells / x.rows) / (y.cells / y.rows))) if x.cells and y.cells else 0.0
    return cells > OTHER_CELLS or abs(x.hot_rows / x.rows - y.hot_rows / y.rows) > OTHER_SHARE


class Recent:
    """The last looks of one setting. When data changes, those of before are forgotten."""

    def __init__(self, sections: int) -> None:
        self._sections = sections
        self._looks: deque[Sums] = deque(maxlen=LONGEST)
        self._skip = False
        self.now = Sums.empty(sections)
        self.changed = False
        """Whether the last look has shown other data than those before it."""

    def forget(self) -> None:
        """The setting has changed: what was seen, and what comes until the next look, is not of one setting."""
        self._looks.clear()
        self._skip = True

    def roll(self, seconds: float) -> Sums:
        """A look: what came since the last one, `seconds` ago."""
        done, self.now = self.now, Sums.empty(self._sections)
        done.seconds, self.changed = seconds, False
        if self._skip:
            self._skip = False
            return done
        before, last = self.load(), load_of([done])
        if before is not None and last is not None and last.flushes >= 2 and differs(before.cells, last.cells):
            self._looks.clear()
            self.changed = True
        self._looks.append(done)
        while len(self._looks) > LOOKS and sum(s.flushes for s in self._looks) - self._looks[0].flushes >= FLUSHES:
            self._looks.popleft()
        return done

    @property
    def looks(self) -> int:
        """How many there are of this setting and this data."""
        return len(self._looks)

    def load(self) -> Load | None:
        """Over the last looks."""
        return load_of(list(self._looks)) if self._looks else None
