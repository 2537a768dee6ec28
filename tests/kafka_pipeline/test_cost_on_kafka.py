"""What a run on Kafka says it has cost, held against the broker's own log files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka import broker
from tests.kafka_pipeline.expected import write_planted
from tests.kafka_pipeline.pipe import PLANTED, Pipe

pytestmark = pytest.mark.kafka
RECORDS = 12_000
PRICES = ("--cpu-hour-price", "36", "--gigabyte-price", "2", "--currency", "EUR")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A broker whose log files we may read: (its address, their folder)."""
    if os.environ.get("KAFKA_BOOTSTRAP"):
        pytest.skip("the files of the cluster at KAFKA_BOOTSTRAP cannot be read")
    folder = tmp_path_factory.mktemp("kafka-files")
    try:
        yield broker.start(folder).bootstrap, folder
    finally:
        broker.stop(folder)


def written(folder: Path, topic: str) -> int:
    """Bytes of all batches that the broker has of a topic."""
    return sum(file.stat().st_size for file in folder.rglob(f"{topic}-[0-9]*/*.log"))


@pytest.mark.parametrize("workers", [1, 2])
def test_bytes_sent_are_those_of_the_brokers_logs(own: tuple[str, Path], tmp_path: Path, workers: int) -> None:
    bootstrap, folder = own
    with Pipe(tmp_path, bootstrap, PLANTED.read_text()) as pipe:
        pipe.apply()
        pipe.feed(write_planted(tmp_path / "in.jsonl", RECORDS, seed=31))
        files = ["--output", str(tmp_path / "out.jsonl"), "--stats", str(tmp_path / "stats.json")]
        # told without metrics, too
        done = pipe.done(pipe.run("--until-end", *files, *PRICES, "--metrics", "off", workers=workers))
        cost, names = done.stats["cost"], pipe.names
        topics = (names.shuffle, names.state, names.results, names.late, names.dead_letters)
        there = sum(written(folder, topic) for topic in topics)
        assert there > 100_000
        # in a crew partitions change hands, and what was on its way then is written without our hearing of it
        assert (0.95 * there if workers > 1 else there) <= cost["bytes_sent"] <= there
        assert cost["records"] == done.stats["read"] == RECORDS
        money = done.stats["cpu_seconds"] / 100 + cost["bytes_sent"] * 2 / 1e9
        assert cost["money"]["total"] == pytest.approx(money, rel=1e-3)
        (line,) = [line for line in done.said.splitlines() if "a million records cost" in line]
        assert " MB sent, " in line
        assert " EUR (" in line


def test_a_second_run_tells_what_it_did_itself(pipe: Pipe) -> None:
    for seed, records in ((32, 4000), (33, 1000)):
        pipe.feed(write_planted(pipe.folder / f"{seed}.jsonl", records, seed=seed))
        cost = pipe.to_the_end(workers=1).stats["cost"]
        assert cost["records"] == records
        assert "money" not in cost
