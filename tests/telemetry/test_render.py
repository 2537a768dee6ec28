"""The text that Prometheus reads: it parses, and says what the catalogue says."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lepton_stream.account import Account
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.meter import Meter
from lepton_stream.telemetry.render import text
from lepton_stream.telemetry.snapshot import Kept, Snapshot, pack, unpack
from lepton_stream.telemetry.tally import Tally

HOSTILE = 'x"\\\n\x1b[31m} 1\nlepton_up 0\udcff'


def full() -> Tally:
    """Something of every metric."""
    account = Account(read=9, accepted=5, duplicate=2, late=1)
    account.dead_lettered["decode_error"] += 1
    account.mended["pm25.type"] += 3
    account.late_by_window["hour"] += 1
    account.filtered, account.filtered_by_window["hour"] = 2, 1
    meter = Meter()
    gauges: dict[str, dict[tuple[str, ...], float]] = {}
    for metric in c.METRICS:
        labels = tuple("0" for _ in metric.labels[1:])
        if metric.kind == "histogram":
            meter.observe(metric, 0.3, *labels)
        elif metric.kind == "counter" and not metric.durable:
            meter.add(metric, 2, *labels)
        elif metric.kind == "gauge":
            gauges[metric.name] = {labels: 1.0}
    kept = Kept(4, {("orders", "0"): account.to_dict()}, {"hour": 3}, {"spike": 7}, {"spike": 2})
    tally = Tally(lambda: 50.0)
    counted = {"counters": meter.counters(), "histograms": meter.histograms()}
    tally.hear(0, unpack(pack(Snapshot(joined=True, kept={0: kept}, gauges=gauges, **counted))))  # type: ignore[arg-type]
    return tally


def rendered() -> str:
    return text(full().whole(), "shop", "1.2.3", 51.0).decode()


def test_every_metric_of_the_catalogue_is_shown_with_its_kind_and_labels() -> None:
    families = {f.name: f for f in text_string_to_metric_families(rendered())}
    for metric in c.METRICS:
        family = families[metric.name.removesuffix("_total") if metric.kind == "counter" else metric.name]
        assert family.type == metric.kind, metric.name
        assert family.documentation == metric.help
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(metric.labels)
            assert sample.labels["pipeline"] == "shop"
    assert len(families) == len(c.METRICS)


def test_the_outcomes_add_up_to_what_was_read() -> None:
    families = {f.name: f for f in text_string_to_metric_families(rendered())}
    outcomes = {s.labels["outcome"]: s.value for s in families["lepton_records"].samples}
    assert outcomes == {"accepted": 5, "duplicate": 2, "late": 1, "dead_lettered": 1}
    assert [s.value for s in families["lepton_records_read"].samples] == [9]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_has_nothing_to_say() -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=rendered().encode(), capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_hostile_names_are_values_of_labels_and_nothing_else() -> None:
    tally = Tally(lambda: 0.0)
    tally.hear(0, Snapshot(joined=True, kept={0: Kept(1, {(HOSTILE, "0"): Account().to_dict()}, {})}))
    shown = text(tally.whole(), HOSTILE, "1", 0.0).decode()
    assert [line for line in shown.splitlines() if line.startswith("lepton_up 0")] == []
    families = {f.name: f for f in text_string_to_metric_families(shown)}
    assert families["lepton_up"].samples[0].value == 1
    assert "\\udcff" in families["lepton_up"].samples[0].labels["pipeline"]


@pytest.mark.parametrize("metric", c.METRICS, ids=lambda m: m.name)
def test_names_follow_the_conventions(metric: c.Metric) -> None:
    assert re.fullmatch(r"lepton_[a-z_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.labels[0] == "pipeline"
    assert bool(metric.buckets) == (metric.kind == "histogram")
    assert list(metric.buckets) == sorted(set(metric.buckets))
    assert not metric.durable or metric.kind == "counter"
    for unit in ("seconds", "bytes"):
        assert (unit in metric.name) == (metric.unit == unit)


def test_names_of_metrics_and_facts_are_unique() -> None:
    assert len(c.BY_NAME) == len(c.METRICS)
    assert len({fact.event for fact in c.FACTS}) == len(c.FACTS)
