"""Every query of the dashboard on a real Prometheus that scrapes our metrics server."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from lepton_stream.grafana.check import misread
from lepton_stream.grafana.promql import kept
from lepton_stream.grafana.verdicts import UNACCOUNTED
from lepton_stream.telemetry.address import Address
from lepton_stream.telemetry.server import MetricsServer
from lepton_stream.telemetry.tally import Tally
from tests.grafana.fed import snapshots
from tests.grafana.prometheus_server import BINARY, MISSING, Prometheus, until
from tests.grafana.queries import queries

pytestmark = pytest.mark.skipif(BINARY is None, reason=MISSING)
PATIENCE = 60.0


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One that has scraped a whole run, batch by batch."""
    folder = tmp_path_factory.mktemp("prometheus")
    steps = list(snapshots(folder))
    tally = Tally(time.monotonic)
    tally.hear(0, steps[0])
    server = MetricsServer(Address("127.0.0.1", 0), tally, "planted", "1.2.3")
    with server, Prometheus(folder, [server.url.removeprefix("http://").removesuffix("/metrics")]) as started:
        for step in steps[1:]:
            await_scrapes(started, scrapes(started) + 1)
            tally.hear(0, step)
        await_scrapes(started, scrapes(started) + 2)
        yield started


def scrapes(prometheus: Prometheus) -> float:
    """How often our server was scraped so far."""
    return sum(prometheus.values("count_over_time(lepton_up[10m])"))


def await_scrapes(prometheus: Prometheus, count: float) -> None:
    until(lambda: scrapes(prometheus) >= count, PATIENCE, lambda: f"{count} scrapes")


@pytest.mark.parametrize("where", queries())
def test_every_query_of_the_dashboard_answers_with_data(prometheus: Prometheus, where: str) -> None:
    expr = queries("planted")[where]
    if where.startswith("annotation"):  # a new version is seen against a minute ago, when nothing ran yet
        expr = expr.replace("offset 1m", "offset 1h")
    assert until(lambda: prometheus.values(expr), 10, lambda: f"no data: {expr}")


def test_all_records_are_accounted_for(prometheus: Prometheus) -> None:
    right = UNACCOUNTED.replace("$pipeline", ".*")
    assert prometheus.values("sum(lepton_records_read_total)")[0] > 1000
    assert prometheus.values(right) == [0.0]
    assert until(lambda: prometheus.values("lepton:records_unaccounted"), 10, lambda: "no recorded rule") == [0.0]


def test_a_lost_record_would_be_seen(prometheus: Prometheus) -> None:
    lost = UNACCOUNTED.replace("$pipeline", ".*").replace(
        "lepton_records_total{", 'lepton_records_total{outcome!="duplicate", '
    )
    assert prometheus.values(lost)[0] > 0


def test_another_pipeline_answers_with_nothing(prometheus: Prometheus) -> None:
    assert prometheus.values(queries("other")["panel 'Records read', query A"]) == []


def test_every_rule_reads_metrics_there_are_and_every_alert_says_what_to_do(prometheus: Prometheus) -> None:
    rules = prometheus.rules()
    recorded = {rule["name"]: frozenset(kept(rule["query"])) for rule in rules if rule["type"] == "recording"}
    assert [p for rule in rules for p in misread(rule["query"], recorded)] == []
    alerts = [rule for rule in rules if rule["type"] == "alerting"]
    assert len(alerts) >= 6
    for alert in alerts:
        assert alert["labels"]["severity"] in {"critical", "warning"}
        assert len(alert["annotations"]["summary"]) > 10
        assert len(alert["annotations"]["runbook"]) > 40


def test_all_rules_are_evaluated_without_error(prometheus: Prometheus) -> None:
    until(lambda: all(r["health"] == "ok" for r in prometheus.rules()), 15, lambda: str(prometheus.rules()))
