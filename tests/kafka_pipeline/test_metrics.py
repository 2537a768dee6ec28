"""Metrics of a crew, over kills and restarts: every scrape is conserved, and nothing durable goes back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from deploy.kafka.broker import free_port
from lepton_stream import clock
from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.timestamps import NewestTimes
from lepton_stream.telemetry import catalogue as c
from tests.kafka_pipeline.expected import Expected, write_planted
from tests.kafka_pipeline.pipe import PARTITIONS, Pipe, Run, alive, until

pytestmark = pytest.mark.kafka
EACH = 12_000
OUTCOMES = ("accepted", "duplicate", "late", "dead_lettered")


class Scraper:
    """Reads a crew's metrics; every scrape is held against the promises."""

    def __init__(self, port: int) -> None:
        self.at = f"http://127.0.0.1:{port}"
        self.read: dict[str, float] = {}

    def get(self, path: str) -> tuple[int, str]:
        """(status, body); (0, "") while nobody listens."""
        try:
            with urllib.request.urlopen(self.at + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def probe(self, path: str) -> tuple[int, list[str]]:
        """(status, reasons)."""
        status, body = self.get(path)
        return status, json.loads(body)["reasons"] if body else []

    def ready(self) -> bool:
        """Whether /ready says yes."""
        return self.probe("/ready")[0] == 200

    def families(self) -> dict[str, Metric]:
        """One scrape, by the names in the catalogue."""
        _, body = self.get("/metrics")
        found = {family.name: family for family in text_string_to_metric_families(body)}
        return {m.name: found[short] for m in c.METRICS if (short := short_name(m)) in found}

    def accounts(self) -> dict[str, dict[str, float]]:
        """What became of the records, by source partition; conserved, and no less than ever before."""
        families = self.families()
        if c.READ.name not in families:
            return {}
        found = {s.labels["partition"]: {"read": s.value} for s in families[c.READ.name].samples}
        for sample in families[c.OUTCOMES.name].samples:
            found[sample.labels["partition"]][sample.labels["outcome"]] = sample.value
        for partition, account in found.items():
            assert account["read"] == sum(account[outcome] for outcome in OUTCOMES), (partition, account)
            assert account["read"] >= self.read.get(partition, 0), "a durable counter went back"
            self.read[partition] = account["read"]
        return found

    def has_read(self, records: int) -> bool:
        """Whether the account holds so many."""
        return sum(a["read"] for a in self.accounts().values()) == records


def short_name(metric: c.Metric) -> str:
    """As the parser calls it."""
    return metric.name.removesuffix("_total") if metric.kind == "counter" else metric.name


def crew(pipe: Pipe) -> tuple[Run, Scraper]:
    """Two workers, and their metrics."""
    port = free_port()
    prices = ("--cpu-hour-price", "3600", "--gigabyte-price", "1", "--currency", "EUR")
    return pipe.run("--metrics", str(port), *prices), Scraper(port)


def as_told(account: dict[str, Any]) -> dict[str, float]:
    """An account of the statistics, as metrics tell it."""
    plain = {name: account[name] for name in ("read", "accepted", "duplicate", "late")}
    return {**plain, "dead_lettered": sum(account["dead_lettered"].values())}


def value(families: dict[str, Metric], metric: c.Metric) -> dict[tuple[str, ...], float]:
    """Samples by their labels but for the pipeline; of histograms the counts."""
    found = [s for s in families[metric.name].samples if s.name.endswith(("_count", metric.name))]
    return {tuple(s.labels[name] for name in metric.labels[1:]): s.value for s in found}


@pytest.mark.slow
def test_over_a_kill_and_a_restart_every_scrape_is_conserved_and_goes_on(pipe: Pipe) -> None:
    first, second = (write_planted(pipe.folder / f"{n}.jsonl", EACH, seed=n) for n in (91, 92))
    pipe.feed(first)
    running, scraper = crew(pipe)
    status, reasons = until(lambda: found if (found := scraper.probe("/ready"))[0] else None, 30, "a listener")
    assert status == 503, "ready before any partition was restored"
    assert reasons
    assert scraper.probe("/live") == (200, [])
    until(lambda: scraper.has_read(EACH) and scraper.ready(), 60, "all read, and ready")
    os.kill(running.workers[0], signal.SIGKILL)
    status, reasons = until(lambda: found if (found := scraper.probe("/ready"))[0] == 503 else None, 20, "not ready")
    assert any("worker" in reason for reason in reasons)
    assert scraper.has_read(EACH), "a killed worker took its counters with it"
    pipe.feed(second)
    until(lambda: scraper.has_read(2 * EACH) and scraper.ready(), 60, "the rest read, and ready again")
    assert sum(value(scraper.families(), c.RESTARTS).values()) == 1
    last = scraper.accounts()
    running.process.send_signal(signal.SIGTERM)
    assert running.wait(20) == 143, running.said
    running, again = crew(pipe)
    again.read = scraper.read
    until(again.ready, 60, "ready after a restart")
    assert until(lambda: found if len(found := again.accounts()) == PARTITIONS else None, 20, "all accounts") == last
    running.process.send_signal(signal.SIGTERM)
    assert running.wait(20) == 143, running.said
    files = Expected(pipe, write_both(pipe, first, second))
    assert {p: as_told(files.stats["sources"][f"{pipe.source}[{p}]"]) for p in last} == last


def write_both(pipe: Pipe, *files: Path) -> Path:
    """The records of all files as one."""
    whole = pipe.folder / "whole.jsonl"
    whole.write_bytes(b"".join(file.read_bytes() for file in files))
    return whole


def test_all_metrics_of_a_quiet_crew_say_what_is(pipe: Pipe) -> None:
    pipe.feed(write_planted(pipe.folder / "in.jsonl", EACH, seed=93))
    running, scraper = crew(pipe)
    until(lambda: scraper.has_read(EACH) and scraper.ready(), 60, "all read, and ready")

    def quiet() -> dict[str, Metric] | None:
        found = scraper.families()
        lags = [value(found, m) for m in (c.LAG_RECORDS, c.SHUFFLE_LAG, c.LAG_SECONDS) if m.name in found]
        settled = len(lags) == 3 and c.PARTITION_LOAD.name in found  # what a partition takes is told after some seconds
        return found if settled and not any(map(any, (lag.values() for lag in lags))) else None

    families = until(quiet, 30, "nothing waits, of records and of seconds, and loads are told")
    missing = (
        {m.name for m in c.METRICS}
        - families.keys()
        - {c.MENDED.name, c.LATE_BY_WINDOW.name, c.FILTERED_BY_WINDOW.name, c.CHECKPOINT_TIMESTAMP.name}
        - {c.SCORED.name, c.EVENTS.name}  # of plans with models
        - {c.DECISIONS.name, c.PROMISED.name, c.DELIVERED.name}  # the autopilot is off
    )
    assert not missing
    partitions = {str(p) for p in range(PARTITIONS)}
    for metric in (c.WATERMARK, c.STATE_BYTES, c.STATE_GROUPS):
        assert {p for (p,) in value(families, metric)} == partitions
    for metric in (c.LAG_RECORDS, c.LAG_SECONDS, c.DEDUP_IDS, c.DEDUP_BYTES, c.FORGOTTEN):
        assert {p for _, p in value(families, metric)} == partitions
    assert value(families, c.WORKERS) == {(): 2}
    assert sum(value(families, c.DEDUP_IDS).values()) > EACH / 2
    assert sum(value(families, c.BYTES_READ).values()) > 10 * EACH
    assert sum(value(families, c.PREPARED).values()) == EACH
    sent = {topic: size for (topic,), size in value(families, c.BYTES_SENT).items()}
    names = pipe.names
    assert set(sent) == {names.shuffle, names.state, names.results, names.late, names.dead_letters}
    assert all(size > 0 for size in sent.values())
    cost, cpu = value(families, c.COST), sum(value(families, c.PROCESS_CPU).values())
    assert cost == {("cpu", "EUR"): pytest.approx(cpu), ("sent", "EUR"): pytest.approx(sum(sent.values()) / 1e9)}
    results = sum(value(families, c.RESULTS).values())
    told = sum(value(families, c.EVENT_TO_RESULT).values()) + sum(value(families, c.REPLAYED).values())
    assert results > 0
    assert told == results, "every final result is either timed or counted as replayed"
    if shutil.which("promtool"):
        body = scraper.get("/metrics")[1].encode()
        done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, b"")
    running.process.send_signal(signal.SIGTERM)
    assert running.wait(20) == 143, running.said


def test_a_port_that_is_taken_is_refused_before_anything_else_when_it_was_asked_for(pipe: Pipe) -> None:
    port = free_port()
    running = pipe.run("--metrics", str(port), workers=1)
    scraper = Scraper(port)
    until(scraper.ready, 60, "the first runs")
    code, messages = pipe.refused("--metrics", str(port), workers=1)
    assert (code, len(messages)) == (2, 1), messages
    assert f"--metrics 127.0.0.1:{port}: cannot listen there" in messages[0]
    assert alive(running.process.pid)
    assert scraper.ready()
    running.process.send_signal(signal.SIGTERM)
    assert running.wait(20) == 143, running.said


@pytest.mark.slow
def test_a_json_log_is_json_line_by_line_and_tells_the_life_of_workers(pipe: Pipe) -> None:
    pipe.feed(write_planted(pipe.folder / "in.jsonl", 2000, seed=94))
    ending = pipe.run("--until-end", "--log-format", "json")
    assert ending.wait(90) == 0, ending.said
    facts = [json.loads(line) for line in ending.said.splitlines()]
    events = [fact["event"] for fact in facts]
    assert {"worker_started", "partitions_assigned", "restored", "checkpoint", "metrics_served"} <= set(events)
    assert events[-1] == "ended"
    assert facts[-1]["account"]["read"] == 2000
    assert {fact["worker"] for fact in facts if fact["event"] == "worker_started"} == {0, 1}


def test_the_newest_timestamp_of_a_log_is_told_and_an_empty_log_has_none(pipe: Pipe) -> None:
    partitions = pipe.partitions(pipe.source)

    def newest() -> dict[SourcePartition, int]:
        found: dict[SourcePartition, int] = pipe.ask(lambda wire: NewestTimes(wire).of(partitions))
        return found

    assert newest() == {}
    before = clock.now_us()
    pipe.feed(write_planted(pipe.folder / "in.jsonl", 400, seed=95))
    found = newest()
    assert set(found) == set(partitions)
    assert all(before // 1000 * 1000 <= at <= clock.now_us() for at in found.values())
