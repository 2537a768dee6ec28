"""How a crew is to go about its work reaches each of its workers, and its metrics say so."""

from __future__ import annotations

import signal

import pytest

from deploy.kafka.broker import free_port
from lepton_stream.telemetry import catalogue as c
from tests.acceptance.commands import run
from tests.kafka_pipeline.expected import write_planted
from tests.kafka_pipeline.pipe import Pipe, until
from tests.kafka_pipeline.test_metrics import Scraper, value

pytestmark = pytest.mark.kafka
EACH = 4_000


def test_a_crew_begins_as_it_is_told_and_says_how_it_goes_about_its_work(pipe: Pipe) -> None:
    pipe.feed(write_planted(pipe.folder / "in.jsonl", EACH, seed=61))
    port = free_port()
    tuned = ("--route", "mixed", "--flush-interval", "50ms", "--autopilot", "advise")
    running, scraper = pipe.run("--metrics", str(port), *tuned), Scraper(port)
    until(lambda: scraper.has_read(EACH) and scraper.ready(), 60, f"all read, and ready: {running.said}")
    families = scraper.families()
    sections = {w.name for w in pipe.plan.windows}
    assert value(families, c.SETTING_FLUSH) == {("0",): 0.05, ("1",): 0.05}
    assert set(value(families, c.SETTING_ROUTE)) == {(w, name, "mixed") for w in "01" for name in sections}
    assert set(value(families, c.SETTING_CODEC)) == {("0", "lz4"), ("1", "lz4")}
    running.process.send_signal(signal.SIGTERM)
    assert running.wait(20) == 143, running.said
    told = run("explain", pipe.path, "--broker", pipe.bootstrap)
    assert told.returncode == 0, told.stderr
