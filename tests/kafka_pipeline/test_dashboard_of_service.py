"""The Overview over a service at work: two workers on Apache Kafka, scraped by a real Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lepton_stream import clock
from lepton_stream.runtime.kafka.embedded import free_port
from tests.data import planted
from tests.grafana.fed import plan_with_all_outcomes
from tests.grafana.prometheus_server import BINARY, MISSING, Prometheus
from tests.grafana.queries import queries
from tests.kafka_pipeline.pipe import PARTITIONS, Pipe, until

pytestmark = [pytest.mark.kafka, pytest.mark.skipif(BINARY is None, reason=MISSING)]
RECORDS, STEP_MS, RATE = 12_000, 50, 2000
PATIENCE = 90.0


@pytest.fixture
def service(bootstrap: str, tmp_path: Path) -> Iterator[Pipe]:
    """A pipeline of its own in which every outcome occurs; what it started is ended."""
    with Pipe(tmp_path, bootstrap, plan_with_all_outcomes()) as made:
        made.apply()
        yield made


def records_until_now(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Ten minutes of events that end now, a file for each source partition: results of old ones tell no age."""
    monkeypatch.setattr(planted, "START_MS", clock.now_us() // 1000 - RECORDS * STEP_MS)
    files = []
    for p, records in planted.split(planted.generate(RECORDS, seed=11, step_ms=STEP_MS), PARTITIONS).items():
        files.append(folder / f"records{p}.jsonl")
        files[-1].write_bytes(b"".join(record.value + b"\n" for record in records))
    return files


def test_every_query_answers_and_right_is_zero_while_the_service_works(
    service: Pipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = records_until_now(tmp_path, monkeypatch)
    address = f"127.0.0.1:{free_port()}"
    prices = ("--cpu-hour-price", "0.05", "--gigabyte-price", "0.02")
    running = service.run("--metrics", address, *prices, workers=2)
    unanswered = {w: expr for w, expr in queries(service.name).items() if "lepton_decision" not in expr}
    right = unanswered["panel 'Right', query A"]
    read = f'sum(lepton_records_read_total{{pipeline="{service.name}"}})'
    with Prometheus(tmp_path, [address]) as prometheus:
        until(lambda: prometheus.values("lepton_ready == 1"), PATIENCE, f"ready: {running.said}")
        feeding = service.feeding(*files, rate=RATE)

        def all_answered() -> bool:
            assert running.process.poll() is None, running.said
            for where in [w for w, expr in unanswered.items() if prometheus.values(expr)]:
                del unanswered[where]
            assert prometheus.values(right) in ([], [0.0])
            return not unanswered

        try:
            until(all_answered, PATIENCE, "an answer to each query", every=0.2)
        except AssertionError:
            assert unanswered == {}, running.said
            raise
        assert feeding.wait(PATIENCE) == 0, feeding.said
        until(lambda: prometheus.values(read) == [RECORDS], PATIENCE, "all records counted in checkpoints")
        assert prometheus.values(right) == [0.0]
        assert prometheus.values("lepton:records_unaccounted") == [0.0]
        assert prometheus.values("max(lepton_lag_records)") == [0.0]
        assert prometheus.values("sum(lepton_workers)") == [2.0]
