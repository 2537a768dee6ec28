"""What each way of carrying out the plan would cost: CPU seconds a record, predicted by what was seen."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lepton_stream.autopilot.codecs import CPU_ONLY, Codecs, Worth
from lepton_stream.autopilot.fit import Fit, Vector
from lepton_stream.autopilot.growth import Cells, grown
from lepton_stream.autopilot.load import Load, Sums, load_of
from lepton_stream.autopilot.priors import BYTES, FOLD, PREPARE, priors_of
from lepton_stream.autopilot.setting import Codec, Route, Setting
from lepton_stream.autopilot.shape import Shape, shape
from lepton_stream.pipeline.plan import Plan

ROUTES: tuple[Route, ...] = ("rows", "partials", "mixed")
MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Predicted:
    """Of a setting: CPU seconds a record that the setting decides on, of them those of the codec and of bytes sent."""

    cpu_s: float
    codec_s: float
    sent_bytes: float


class CostModel:
    """Fitted online. `flush_s` of a load is the interval that it was seen at."""

    def __init__(self, plan: Plan, weigh: Worth = CPU_ONLY, partitions: int | None = None) -> None:
        self._partitions = partitions or plan.topics.partitions
        priors = priors_of(plan, self._partitions)
        self._prepare, self._fold, self._bytes = Fit(priors.prepare), Fit(priors.fold), Fit(priors.bytes)
        self.codecs = Codecs(weigh)
        self.sections = len(plan.windows)
        self._steps_s = tuple(w.step_us / MICROSECONDS for w in plan.windows)
        self._models = len(plan.in_order)

    def observe(self, seen: Sums, codec: Codec | None) -> None:
        """What one look has seen. `codec`: that its frames were compressed with; None where that changed meanwhile."""
        if seen.flushes:
            self._prepare.add(self._features(seen, Shape.prepare, seen.flushes), seen.route_cpu_s)
            self._bytes.add(self._features(seen, Shape.bytes, seen.flushes), float(seen.frame_bytes))
            if codec is not None:
                self.codecs.add(codec, seen.frame_bytes, seen.sent_bytes, seen.compress_cpu_s)
            if seen.folded.frames and seen.records:
                self._fold.add(self._folded(seen), seen.folded.cpu_s)

    def predict(self, load: Load, setting: Setting, at: Setting) -> Predicted:
        """Of `setting`, by a load seen at the setting `at`."""
        cycle_s, cells = self.at_interval(load, at.flush_s, setting.flush_s)
        records = load.records * cycle_s / load.cycle_s
        parts = [shape(r, c, self._partitions) for r, c in zip(setting.routes, cells, strict=True)]
        x = [self._vector([pick(p) for p in parts], records) for pick in (Shape.prepare, Shape.fold, Shape.bytes)]
        sent = self._bytes.cost(x[2]) / records
        codec_s = sent * self.codecs.byte_s(setting.codec)
        work = (self._prepare.cost(x[0]) + self._fold.cost(x[1])) / records
        fixed = load.flush * load.records / records
        return Predicted(work + fixed + codec_s, codec_s, sent * self.codecs.ratio(setting.codec))

    def at_interval(self, load: Load, seen_s: float, flush_s: float) -> tuple[float, tuple[Cells, ...]]:
        """(seconds from one flush of a source to the next, cells a flush of each section) at another interval."""
        cycle_s = max(load.cycle_s + flush_s - seen_s, load.cycle_s / 1000.0)
        times = cycle_s / load.cycle_s
        more = [(1.0 + cycle_s / step) / (1.0 + load.cycle_s / step) for step in self._steps_s]
        return cycle_s, tuple(grown(c, times, m) for c, m in zip(load.cells, more, strict=True))

    def section_cost(self, number: int, route: Route, cells: Cells, codec: Codec) -> float:
        """CPU seconds a flush that one section takes on its own."""
        part = shape(route, cells, self._partitions)
        sent = float(part.bytes() @ self._own(self._bytes, number, len(BYTES)))
        work = part.prepare() @ self._own(self._prepare, number, len(PREPARE))
        return float(work + part.fold() @ self._own(self._fold, number, len(FOLD))) + sent * self.codecs.byte_s(codec)

    def doubt(self, number: int, one: Route, other: Route, cells: Cells) -> float:
        """A standard deviation of the difference of two routes of a section, CPU seconds a flush."""
        a, b = shape(one, cells, self._partitions), shape(other, cells, self._partitions)
        variance = 0.0
        for fit, x in ((self._prepare, a.prepare() - b.prepare()), (self._fold, a.fold() - b.fold())):
            all_ = np.zeros(len(fit.prior))
            all_[number * len(x) : (number + 1) * len(x)] = x
            variance += fit.spread(all_) ** 2
        return math.sqrt(variance)

    def fold_cost(self, load: Load, routes: tuple[Route, ...]) -> float:
        """CPU seconds a record that merging takes, by what folding has been seen to take."""
        parts = [shape(r, c, self._partitions).fold() for r, c in zip(routes, load.cells, strict=True)]
        return self._fold.cost(self._vector(parts, load.records)) / load.records

    def _vector(self, parts: list[Vector], records: float) -> Vector:
        return np.concatenate([*parts, [self._models * records, 1.0]])

    @staticmethod
    def _own(fit: Fit, number: int, width: int) -> Vector:
        return fit.coefficients[number * width : (number + 1) * width]

    def _features(self, seen: Sums, pick: Callable[[Shape], Vector], flushes: int) -> Vector:
        """Of all that was prepared since the last look, by the routes that it took."""
        parts = []
        for by_route in seen.sections:
            x = np.zeros(len(pick(shape("rows", Cells(), 1))))
            for route, sums in by_route.items():
                x = x + pick(shape(route, sums.mean(), self._partitions)) * sums.flushes
            parts.append(x)
        return np.concatenate([*parts, [self._models * seen.records, float(flushes)]])

    def _folded(self, seen: Sums) -> Vector:
        """Of what was folded since the last look: shared out to sections as what was prepared was.

        Frames of others may have come by other routes; then rows or cells go by the sections' own numbers. Rows of
        models are not told, and go by flushes.
        """
        own = self._features(seen, Shape.fold, seen.flushes)
        folded, width = seen.folded, len(FOLD)
        by = own[:-2].reshape(self.sections, width).copy()
        load = load_of([seen])
        plain = np.array([[c.rows, c.cells] for c in load.cells]) if load and self.sections else np.zeros((0, 2))
        if by[:, 0].sum() <= 0.0 and folded.rows:
            by[:, :2] = plain
        if by[:, 2].sum() <= 0.0 and folded.cells:
            by[:, 2] = plain[:, 1] if self.sections else 0.0
        rows, cells = by[:, 0].sum(), by[:, 2].sum()
        by[:, :2] *= folded.rows / rows if rows else 0.0
        by[:, 2] *= folded.cells / cells if cells else 0.0
        flushes = folded.frames / self._partitions
        by[:, 3] *= flushes / seen.flushes
        by[:, 4] *= flushes / seen.flushes
        return np.concatenate([by.ravel(), [own[-2] * flushes / seen.flushes, flushes]])
