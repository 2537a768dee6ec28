"""A source topic that gets more partitions while it is counted: the run ends with its code."""

from __future__ import annotations

import os
import signal

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from lepton_stream.runtime.kafka.wire import Wire
from tests.kafka_pipeline.expected import write_planted
from tests.kafka_pipeline.pipe import Pipe, until

pytestmark = pytest.mark.kafka
PATIENCE = 60
CODE = 5


def test_a_source_whose_partitions_are_raised_while_workers_run(pipe: Pipe) -> None:
    pipe.feed(write_planted(pipe.folder / "in.jsonl", 400, seed=44))
    crew = pipe.run()
    until(lambda: pipe.counted() == 400, PATIENCE, "all is counted")
    until(lambda: pipe.members() == 2, PATIENCE, "both workers are in the group")

    async def raised(_: Wire) -> None:
        client = AIOKafkaAdminClient(bootstrap_servers=pipe.bootstrap)
        await client.start()
        await client.create_partitions({pipe.source: NewPartitions(6)})
        await client.close()

    pipe.ask(raised)
    pipe.feed(write_planted(pipe.folder / "more.jsonl", 400, seed=45))  # some of it into the new partitions
    os.kill(crew.workers[0], signal.SIGKILL)  # clients look for new partitions every few minutes, or when they start
    assert crew.wait(PATIENCE) == CODE, crew.said
    told = [line for line in crew.said.splitlines() if "keys have moved between partitions" in line]
    assert told, crew.said
    assert all("new `version`" in line for line in told)
    assert not any(pipe.look().committed.get(tp) for tp in pipe.partitions(pipe.source, 6)[4:])
