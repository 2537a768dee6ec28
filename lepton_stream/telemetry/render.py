"""Metrics as Prometheus reads them: the text format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from lepton_stream.account import Account
from lepton_stream.formats.decoder import Reason
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.cost import Prices
from lepton_stream.telemetry.meter import Labels, Samples
from lepton_stream.telemetry.probes import ready
from lepton_stream.telemetry.snapshot import Kept
from lepton_stream.telemetry.tally import Histograms, Whole


def text(whole: Whole, pipeline: str, version: str, now: float, prices: Prices | None = None) -> bytes:
    """All metrics that have samples. `now`: by the tally's clock. `prices`: what makes money of CPU time and bytes."""
    samples = {**whole.gauges}
    money = _money(whole.counters, prices or Prices())
    for part in (whole.counters, durable(whole.kept), _about(whole, version, now), money):
        for name, more in part.items():
            samples[name] = {**samples.get(name, {}), **more}
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Ready(list(_families(samples, whole.histograms, pipeline))))
    return generate_latest(registry)


class _Ready:
    """A collector of families that are made already."""

    def __init__(self, families: list[Any]) -> None:
        self._families = families

    def collect(self) -> list[Any]:
        return self._families


def durable(kept: Mapping[int, Kept]) -> Samples:
    """The metrics of the account, all shuffle partitions together.

    Every reason is there once a source is: a counter that appears with its first event hides it from rates.
    """
    accounts: dict[Labels, Account] = {}
    samples: Samples = {metric.name: {} for metric in c.METRICS if metric.durable}
    for one in kept.values():
        for source, data in one.accounts.items():
            accounts.setdefault(source, Account()).add(Account.from_dict(data))
        _add(samples[c.RESULTS.name], one.results)
        _add(samples[c.SCORED.name], one.scored)
        _add(samples[c.EVENTS.name], one.events)
    for source, account in accounts.items():
        samples[c.READ.name][source] = account.read
        outcomes = (account.accepted, account.duplicate, account.late, account.dead_lettered.total())
        for outcome, count in zip(("accepted", "duplicate", "late", "dead_lettered"), outcomes, strict=True):
            samples[c.OUTCOMES.name][*source, outcome] = count
        _add(samples[c.DEAD_LETTERS.name], dict.fromkeys(map(str, Reason), 0) | account.dead_lettered)
        _add(samples[c.MENDED.name], account.mended)
        samples[c.FILTERED.name][source] = account.filtered
        _add(samples[c.FILTERED_BY_WINDOW.name], account.filtered_by_window)
        _add(samples[c.LATE_BY_WINDOW.name], account.late_by_window)
    return samples


def _add(to: dict[Labels, float], more: Mapping[str, int]) -> None:
    for label, count in more.items():
        to[label,] = to.get((label,), 0.0) + count


def _money(counters: Samples, prices: Prices) -> Samples:
    """What was spent so far, by part; nothing of what has no price."""
    cpu, sent = (sum(counters.get(metric.name, {}).values()) for metric in (c.PROCESS_CPU, c.BYTES_SENT))
    spent: dict[Labels, float] = {(part, prices.currency): money for part, money in prices.parts(cpu, sent).items()}
    return {c.COST.name: spent} if spent else {}


def _about(whole: Whole, version: str, now: float) -> Samples:
    """The service itself."""
    paths = {heard.snapshot.path for heard in whole.heard.values()} or {"unknown"}
    return {
        c.WORKERS.name: {(): len(whole.heard)},
        c.READY.name: {(): float(ready(whole, now).ok)},
        c.UP.name: {(): 1.0},
        c.STEP_AGE.name: {(str(worker),): max(0.0, now - heard.at) for worker, heard in whole.heard.items()},
        c.BUILD_INFO.name: {(version, path): 1.0 for path in sorted(paths)},
    }


def _families(samples: Samples, histograms: Histograms, pipeline: str) -> Iterator[Any]:
    for metric in c.METRICS:
        about = (metric.name, metric.help)
        labels = list(metric.labels)
        if metric.kind == "histogram":
            family: Any = HistogramMetricFamily(*about, labels=labels)
            for values, (counts, total) in sorted(histograms.get(metric.name, {}).items()):
                family.add_metric(_clean(pipeline, values), list(_cumulated(metric.buckets, counts)), total)
        else:
            kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            family = kind(*about, labels=labels)
            for values, value in sorted(samples.get(metric.name, {}).items()):
                family.add_metric(_clean(pipeline, values), value)
        if family.samples:
            yield family


def _cumulated(bounds: tuple[float, ...], counts: list[int]) -> Iterator[tuple[str, int]]:
    so_far = 0
    for bound, count in zip([*map(repr, bounds), "+Inf"], counts, strict=True):
        so_far += count
        yield bound, so_far


def _clean(pipeline: str, values: Labels) -> list[str]:
    """Names that are no UTF-8 (files may have such) are shown escaped."""
    return [value.encode("utf-8", "backslashreplace").decode() for value in (pipeline, *values)]
