"""Choices in words and numbers: what the autopilot's decisions say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lepton_stream.autopilot.choose import INTERVALS_S
from lepton_stream.autopilot.decision import Decision, Option
from lepton_stream.autopilot.load import Load
from lepton_stream.autopilot.model import ROUTES, CostModel
from lepton_stream.autopilot.priors import CODECS
from lepton_stream.autopilot.setting import Setting

ROUTE, FLUSH, CODEC = "route", "flush interval", "codec"
"""The knobs. A route is of one window section, which `about` names."""
COST = "CPU seconds a million records"
CODEC_COST = "CPU seconds of codec and bytes a million records"
SENT, FRESH = "MB sent a million records", "freshness p99, s"
MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Scene:
    """What a decision was made of. `cost`: measured, CPU seconds a record that the knobs decide on; `fresh_s`: p99."""

    model: CostModel
    load: Load
    at: Setting
    names: tuple[str, ...]
    cost: float
    fresh_s: float | None

    def seen(self) -> dict[str, float]:
        """In the words of a decision."""
        found = {
            "records a second": self.load.pace,
            "records a flush": self.load.records,
            f"{COST}, measured": self.cost * MILLION,
        }
        return found if self.fresh_s is None else {**found, FRESH: self.fresh_s}


def seconds(flush_s: float) -> str:
    """The name of an interval among options."""
    return f"{flush_s:g} s"


def turned(scene: Scene, to: Setting, why: str, promised: tuple[str, float], number: int) -> Iterator[Decision]:
    """One decision for each knob that is turned; `number` makes their ids."""
    at = scene.at
    turns = [_route(scene, to, i) for i, (a, b) in enumerate(zip(at.routes, to.routes, strict=True)) if a != b]
    if at.flush_s != to.flush_s:
        turns.append((FLUSH, {}, {}, _intervals(scene, to), seconds(to.flush_s)))
    if at.codec != to.codec:
        turns.append((CODEC, {}, _bytes(scene), _codecs(scene), to.codec))
    for i, (knob, about, more, options, name) in enumerate(turns):
        seen = {**scene.seen(), **more}
        yield Decision(knob, seen, options, name, why, promised, about=about, id=f"{number}.{i}")


_Turn = tuple[str, dict[str, str], dict[str, float], tuple[Option, ...], str]


def _route(scene: Scene, to: Setting, section: int) -> _Turn:
    """At the interval and with the other routes that are chosen with it."""
    of = scene.load.cells[section]
    rows = max(of.rows, 1.0)
    seen = {"rows a cell": of.rows / max(of.cells, 1.0), "share of rows in cells of several": of.hot_rows / rows}
    options = []
    for route in ROUTES:
        routes = (*to.routes[:section], route, *to.routes[section + 1 :])
        options.append(Option(route, _predicted(scene, replace(to, routes=routes))))
    return ROUTE, {"section": scene.names[section]}, seen, tuple(options), to.routes[section]


def _intervals(scene: Scene, to: Setting) -> tuple[Option, ...]:
    """The present interval, the chosen one, and its neighbours."""
    near = [s for s in INTERVALS_S if s == to.flush_s or _next(s, to.flush_s)]
    named = sorted({scene.at.flush_s, to.flush_s, *near})
    return tuple(Option(seconds(s), _predicted(scene, replace(to, flush_s=s))) for s in named)


def _next(a: float, b: float) -> bool:
    below = [s for s in INTERVALS_S if s < b]
    above = [s for s in INTERVALS_S if s > b]
    return a in (*below[-1:], *above[:1])


def _codecs(scene: Scene) -> tuple[Option, ...]:
    options = []
    for name in CODECS:
        told = scene.model.predict(scene.load, replace(scene.at, codec=name), scene.at)
        options.append(Option(name, {CODEC_COST: told.codec_s * MILLION, SENT: told.sent_bytes}))
    return tuple(options)


def _bytes(scene: Scene) -> dict[str, float]:
    return {"MB of frames a million records": scene.load.frame_bytes, SENT: scene.load.sent_bytes}


def _predicted(scene: Scene, setting: Setting) -> dict[str, float]:
    """By the model, brought to what is measured now."""
    now = scene.model.predict(scene.load, scene.at, scene.at).cpu_s
    told = scene.model.predict(scene.load, setting, scene.at)
    found = {COST: told.cpu_s / now * scene.cost * MILLION, SENT: told.sent_bytes}
    if scene.fresh_s is not None:
        found[FRESH] = max(scene.fresh_s + setting.flush_s - scene.at.flush_s, 0.0)
    return found
