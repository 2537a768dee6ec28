"""The broker goes away in the middle of a run and comes back: the workers go on, and nothing is lost or repeated."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka import broker
from tests.kafka_pipeline.expected import Expected, assert_orderly, letters_of, write_planted
from tests.kafka_pipeline.pipe import PLANTED, Pipe, until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
RECORDS = 12_000
PATIENCE = 90


@pytest.fixture
def node(tmp_path: Path) -> Iterator[broker.Node]:
    """A broker of our own, as it is stopped."""
    directory = tmp_path / "broker"
    try:
        yield broker.start(directory)
    finally:
        broker.stop(directory)


def test_a_run_goes_on_exactly_when_its_broker_comes_back(node: broker.Node, tmp_path: Path) -> None:
    text = PLANTED.read_text().replace("[source]", '[source]\nidle = "wait"')
    with Pipe(tmp_path, node.bootstrap, text) as pipe:
        pipe.apply()
        file = write_planted(tmp_path / "in.jsonl", RECORDS, seed=81)
        expected = Expected(pipe, file)
        lines = file.read_bytes().splitlines(keepends=True)
        first, rest = tmp_path / "first.jsonl", tmp_path / "rest.jsonl"
        first.write_bytes(b"".join(lines[: RECORDS // 2]))
        rest.write_bytes(b"".join(lines[RECORDS // 2 :]))
        crew = pipe.run()
        until(lambda: pipe.members() == 2, PATIENCE, "both workers are in the group")
        pipe.feed(first)
        until(lambda: pipe.counted() > 0, PATIENCE, "records are counted")
        assert broker.stop(node.directory)
        broker.start(node.directory, int(node.bootstrap.rsplit(":", 1)[1]))
        pipe.feed(rest)
        until(lambda: pipe.counted() == RECORDS, PATIENCE, "all is counted")
        crew.process.send_signal(signal.SIGTERM)
        assert crew.wait(PATIENCE) == 143, crew.said
        done = pipe.to_the_end()
        expected.holds_for(done)
        assert letters_of(pipe) == expected.letters
        assert_orderly(pipe, done)
