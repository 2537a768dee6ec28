"""What metrics show of the autopilot: how the work is carried out now, and what decisions promised and delivered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lepton_stream.autopilot.record import Told
from lepton_stream.autopilot.setting import Setting
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.meter import Samples


def setting_gauges(worker: str, setting: Setting, sections: Sequence[str]) -> Samples:
    """Route of each window section, flush interval and codec, of one worker. `sections`: names, in the plan's order."""
    routes = zip(sections, setting.routes, strict=True)
    return {
        c.SETTING_ROUTE.name: {(worker, section, route): 1.0 for section, route in routes},
        c.SETTING_FLUSH.name: {(worker,): setting.flush_s},
        c.SETTING_CODEC.name: {(worker, setting.codec): 1.0},
    }


def decision_gauges(worker: str, completed: Iterable[Told]) -> Samples:
    """What the last completed decision about each promised and delivered, in the unit that its measure names."""
    samples: Samples = {c.PROMISED.name: {}, c.DELIVERED.name: {}}
    for told in completed:
        d = told.decision
        if d.delivered is None:
            continue
        measure, promised = d.promised
        labels = (worker, d.knob, " ".join(value for _, value in sorted(d.about.items())), measure)
        samples[c.PROMISED.name][labels] = promised
        samples[c.DELIVERED.name][labels] = d.delivered
    return samples
