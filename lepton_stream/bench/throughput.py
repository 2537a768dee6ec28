"""Events a second from Kafka to Kafka: what two more million events take, so that start-up is left out."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from lepton_stream.bench.engine import told
from lepton_stream.bench.kafka import Counted, Through, to_the_end
from lepton_stream.bench.shape import Shape
from lepton_stream.bench.spread import Spread
from lepton_stream.errors import UsageError


def throughput(through: Through, shape: Shape, runs: int, route: str) -> dict[str, Any]:
    """Pairs of runs over a third of the events and over all of them; figures as plain values.

    Raises IntegrityError where a result is wrong.
    """
    small = shape.of(records=max(shape.records // 3, 1))
    pairs = []
    for number in range(1, runs + 1):
        pair = []
        for one in (small, shape):
            through.fed(one)
            through.tell(f"end-to-end: run {number} of {runs}, {one.records:,} events")
            pair.append(to_the_end(through, one, route))
        pairs.append((pair[0], pair[1]))
    stock, _ = through.fed(shape)
    return {"shape": told(stock, route), "from_events": small.records, **marginal(pairs)}


def marginal(pairs: Sequence[tuple[Counted, Counted]]) -> dict[str, Any]:
    """Speed and CPU seconds of the events that the second run of each pair had more than the first; by stage too.

    Pairs whose longer run was not the slower one say nothing of speed and are left out, which is told. Raises
    UsageError where no pair is left.
    """
    per_million = [1e6 / (second.events - first.events) for first, second in pairs]
    times = [(b.seconds - a.seconds) * each for each, (a, b) in zip(per_million, pairs, strict=True)]
    cpu = [(b.cpu_seconds - a.cpu_seconds) * each for each, (a, b) in zip(per_million, pairs, strict=True)]
    good = [time for time in times if time > 0]
    if not good:
        raise UsageError("bench: the longer runs were not the slower ones: the machine is busy, or --records too few")
    names = list(dict.fromkeys(name for _, run in pairs for name in run.stages))
    start_up = [a.cpu_seconds - c * a.events / 1e6 for c, (a, _) in zip(cpu, pairs, strict=True)]
    return {
        "events_per_second": Spread.of([1e6 / time for time in good]).plain(),
        "pairs_left_out": len(times) - len(good),
        "cpu_seconds_per_million": Spread.of(cpu).plain(),
        "start_up_cpu_seconds": Spread.of(start_up).plain(),
        "stages": {name: {"cpu_seconds_per_million": _stage(name, pairs, per_million)} for name in names},
    }


def _stage(name: str, pairs: Sequence[tuple[Counted, Counted]], per_million: Sequence[float]) -> float:
    more = [b.stages.get(name, 0.0) - a.stages.get(name, 0.0) for a, b in pairs]
    return median(seconds * each for seconds, each in zip(more, per_million, strict=True))
