"""The highest rate that is sustained, freshness at shares of it, and what a worker costs with little to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from lepton_stream import clock
from lepton_stream.bench.freshness import Load, at_load, is_sustained
from lepton_stream.bench.kafka import Through
from lepton_stream.bench.paced_plan import paced_plan
from lepton_stream.bench.service import serving
from lepton_stream.bench.stream import LATENESS_US, WINDOW_US

SHARES = (0.1, 0.5, 0.8, 0.95)
EMITS = ("final", "updates")
STEP = 1.25
"""Between two rates that are tried; the highest one found is below the true one by less than that."""
TRIES = 12
TRIED_S = 12.0
TRICKLE = 10.0


def highest(try_rate: Callable[[float], bool], guess: float) -> tuple[float, list[tuple[float, bool]]]:
    """The highest of the rates tried that was sustained, going up or down from a guess, and what was tried.

    0 if none was.
    """
    tried: list[tuple[float, bool]] = []
    best, rate = 0.0, rounded(guess)
    while len(tried) < TRIES:
        good = try_rate(rate)
        tried.append((rate, good))
        best = max(best, rate) if good else best
        turned = good != tried[0][1]
        if turned:
            break
        rate = rounded(rate * STEP if good else rate / STEP)
    return best, tried


def rounded(rate: float) -> float:
    """To two digits: more would promise a precision that is not there."""
    return float(f"{rate:.1e}")


def freshness(
    through: Through, rate: float | None, guess: float, seconds: float, shares: Sequence[float] = SHARES
) -> dict[str, Any]:
    """Freshness at shares of the highest sustained rate, which is searched for unless it is given."""
    tried: list[tuple[float, bool]] = []
    if rate is None:

        def try_rate(rate: float) -> bool:
            through.tell(f"freshness: can {rate:,.0f} events/s be sustained?")
            return is_sustained(at_load(through, Load(rate, TRIED_S, "updates")))

        rate, tried = highest(try_rate, guess)
    levels = []
    for share in shares if rate else ():
        for emit in EMITS:
            through.tell(f"freshness: {share:.0%} of {rate:,.0f} events/s, emit = {emit}, {seconds:.0f} s")
            levels.append(at_load(through, Load(rate * share, seconds, emit, share)))
    return {
        "highest": rate,
        "tried": [{"rate": r, "sustained": good} for r, good in tried],
        "window_seconds": WINDOW_US / 1e6,
        "lateness_seconds": LATENESS_US / 1e6,
        "levels": levels,
    }


def trickle(through: Through, seconds: float) -> dict[str, Any]:
    """Ten events a second."""
    through.tell(f"trickle: {TRICKLE:.0f} events/s, {seconds:.0f} s")
    return at_load(through, Load(TRICKLE, seconds, "updates"))


def idle(through: Through, seconds: float) -> dict[str, Any]:
    """The share of a core that a worker takes when nothing comes."""
    through.tell(f"idle: {seconds:.0f} s")
    return asyncio.run(_idle(through, seconds))


async def _idle(through: Through, seconds: float) -> dict[str, Any]:
    name, plan = await paced_plan(through, "final")
    async with serving(through.measured(), plan, through.address, through.folder / f"{name}.log") as service:
        await asyncio.sleep(min(seconds, 5.0))
        before, began = service.cpu_seconds(), clock.elapsed_s()
        await asyncio.sleep(seconds)
        return {"seconds": seconds, "worker_cpu": (service.cpu_seconds() - before) / (clock.elapsed_s() - began)}
