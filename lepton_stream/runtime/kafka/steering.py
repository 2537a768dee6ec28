"""The worker's autopilot at work: it hears of every step and turns the setting that the next claims follow."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from lepton_stream import clock
from lepton_stream.autopilot.codecs import worth
from lepton_stream.autopilot.mode import Mode
from lepton_stream.autopilot.pilot import Pilot
from lepton_stream.pipeline.plan import Plan
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.telemetry.catalogue import REPLAYED_S
from lepton_stream.telemetry.cost import Prices
from lepton_stream.windows.results import Results

LOOK_S = 1.0


async def steer(outside: Outside, mode: Mode, prices: Prices) -> None:
    """For as long as the worker runs; with mode "off" there is nothing to do."""
    if mode == "off":
        return
    pilot = pilot_of(outside, mode, prices)
    listen(outside, pilot)
    while True:
        await asyncio.sleep(LOOK_S)
        for decision in pilot.look(clock.elapsed_s()):
            outside.deciding.tell(decision)
        outside.setting = pilot.setting


def pilot_of(outside: Outside, mode: Mode, prices: Prices) -> Pilot:
    """Begins with the worker's setting."""
    plan = outside.job.plan
    goal_us = plan.objective.freshness_p99_us
    return Pilot(
        plan,
        outside.setting,
        mode=mode,
        freshness_s=None if goal_us is None else goal_us / 1e6,
        weigh=worth(prices.cpu_hour, prices.gigabyte),
        partitions=outside.job.partitions,
    )


def listen(outside: Outside, pilot: Pilot) -> None:
    """From now on it hears what the owners do."""
    lateness = lateness_of(outside.job.plan)

    def note_results(results: Sequence[Results], now_us: int) -> None:
        for late_s, count in ages(results, now_us, lateness):
            pilot.fresh(late_s, count)

    outside.note_prepared, outside.note_folded, outside.note_results = pilot.prepared, pilot.folded, note_results


def lateness_of(plan: Plan) -> dict[str, int]:
    """Microseconds after a window's end until it can close, by section."""
    return {window.name: window.lateness_us for window in plan.windows}


def ages(results: Sequence[Results], now_us: int, lateness_us: Mapping[str, int]) -> Iterator[tuple[float, int]]:
    """(seconds since their windows could close, how many) of final results; a replay of old events says nothing."""
    for batch in results:
        if not batch.final or not len(batch):
            continue
        for end_ms, count in batch.by_end():
            age = (now_us - lateness_us[batch.window]) / 1e6 - end_ms / 1e3
            if age <= REPLAYED_S:
                yield max(age, 0.0), count
