"""The best that the knobs can do by the model's word: routes and flush interval together, the codec by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from lepton_stream.autopilot.growth import Cells
from lepton_stream.autopilot.hysteresis import Patience
from lepton_stream.autopilot.load import Load
from lepton_stream.autopilot.model import ROUTES, CostModel
from lepton_stream.autopilot.priors import CODECS
from lepton_stream.autopilot.setting import Route, Setting
from lepton_stream.autopilot.turn import Turn, codec_option, flush_option, route_option

INTERVALS_S = (0.0, 0.02, 0.05, 0.1, 0.15, 0.25, 0.4, 0.6, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)

Open = Callable[[Turn], bool]
"""Whether a knob may be turned so."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`cost`, `now`: CPU seconds a record of `setting` and of the present one, predicted.

    `hoped`: what it may come to at best, of one that is to be tried; None of one that is known.
    """

    setting: Setting
    cost: float
    now: float
    hoped: float | None = None


def intervals(at_s: float, limit_s: float) -> Iterable[float]:
    """Those that may be chosen: the present one and longer ones within the limit."""
    return (at_s, *(s for s in INTERVALS_S if at_s < s <= limit_s))


def plan(model: CostModel, load: Load, at: Setting, limit_s: float, patience: Patience, may: Open) -> Choice | None:
    """Routes and interval that gain enough over the present ones; the shortest interval that gains nearly all of it."""
    now = model.predict(load, at, at).cpu_s
    found: list[tuple[float, Setting]] = []
    for flush_s in intervals(at.flush_s, limit_s):
        if flush_s != at.flush_s and not may(flush_option(flush_s)):
            break  # nor longer ones: what makes one of them disappoint holds for these, too
        setting = Setting(_routes(model, load, at, flush_s, patience, may), flush_s, at.codec)
        found.append((model.predict(load, setting, at).cpu_s, setting))
    least = min(cost for cost, _ in found)
    cost, setting = next(each for each in found if each[0] <= least * (1.0 + patience.gain / 2.0))
    return Choice(setting, cost, now) if cost <= (1.0 - patience.gain) * now else None


def _routes(
    model: CostModel, load: Load, at: Setting, flush_s: float, patience: Patience, may: Open
) -> tuple[Route, ...]:
    """The cheapest of each section; the present one unless another certainly gains half of what a move must gain."""
    _, cells = model.at_interval(load, at.flush_s, flush_s)
    chosen = []
    for number, (present, of) in enumerate(zip(at.routes, cells, strict=True)):
        costs = {present: model.section_cost(number, present, of, at.codec)}
        for route in ROUTES:
            if route != present and _may(number, route, may):
                cost = model.section_cost(number, route, of, at.codec)
                costs[route] = cost + patience.sure * model.doubt(number, route, present, of)
        best = min(costs, key=costs.__getitem__)
        chosen.append(best if costs[best] <= (1.0 - patience.gain / 2.0) * costs[present] else present)
    return tuple(chosen)


def _may(number: int, route: Route, may: Open) -> bool:
    return may(route_option(number, route))


def untried(model: CostModel, load: Load, at: Setting, patience: Patience, may: Open) -> Choice | None:
    """The route of a section that might gain enough, as far as its costs are known: that with the most to gain."""
    now = model.predict(load, at, at).cpu_s
    best: Choice | None = None
    for number, (present, of) in enumerate(zip(at.routes, load.cells, strict=True)):
        for route in ROUTES:
            if route == present or not _may(number, route, may):
                continue
            routes = (*at.routes[:number], route, *at.routes[number + 1 :])
            setting = replace(at, routes=routes)
            cost = model.predict(load, setting, at).cpu_s
            hoped = cost - patience.doubts * _doubt(model, number, present, route, of, load)
            if hoped > (1.0 - patience.gain) * now or cost > patience.dear * now:
                continue
            if best is None or best.hoped is None or hoped < best.hoped:
                best = Choice(setting, cost, now, max(hoped, 0.0))
    return best


def _doubt(model: CostModel, number: int, present: Route, route: Route, of: Cells, load: Load) -> float:
    return model.doubt(number, route, present, of) / load.records


def codec(model: CostModel, load: Load, at: Setting, patience: Patience, may: Open) -> Choice | None:
    """A codec that gains enough of what compressing and sending costs, and something of the whole."""
    now = model.predict(load, at, at)
    costs = {
        name: model.predict(load, replace(at, codec=name), at).codec_s
        for name in CODECS
        if name == at.codec or may(codec_option(name))
    }
    best = min(costs, key=costs.__getitem__)
    gain = now.codec_s - costs[best]
    if gain < patience.gain * now.codec_s or gain < patience.small / 2.0 * now.cpu_s:
        return None
    return Choice(replace(at, codec=best), costs[best], now.codec_s)
