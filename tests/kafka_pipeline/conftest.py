"""A real Apache Kafka for whole pipelines, and a pipeline of its own for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka import broker
from tests.kafka_pipeline.pipe import PLANTED, Pipe


@pytest.fixture(scope="session")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the cluster under test is: our own broker, or the one at KAFKA_BOOTSTRAP."""
    if given := os.environ.get("KAFKA_BOOTSTRAP"):
        yield given
        return
    directory = tmp_path_factory.mktemp("kafka-pipeline")
    try:
        yield broker.start(directory).bootstrap
    finally:
        broker.stop(directory)


@pytest.fixture
def pipe(bootstrap: str, tmp_path: Path) -> Iterator[Pipe]:
    """The pipeline for planted records, with topics of its own; what it started is ended."""
    with Pipe(tmp_path, bootstrap, PLANTED.read_text()) as made:
        made.apply()
        yield made
