"""The broker that all programs read from: Apache Kafka on the first core, the workload fed once for each size."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.kafka import broker
from tests.bench.installed_command import PIPELINE, command
from tests.bench.published import Figures, expected, prepared
from tests.data.workload import START_MS, flush_start_us

PARTITIONS = 4
HOUR_MS = 3_600_000


@dataclass
class Cluster:
    """A running broker, and which core it has and which one the programs have."""

    bootstrap: str
    folder: Path
    broker_core: int
    core: int
    admin: AIOKafkaAdminClient
    fed: set[int] = field(default_factory=set)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.bootstrap.rsplit(":", 1)[1])

    async def source(self, records: int) -> str:
        """The topic that holds the workload of this size; fed, by our own `feed`, where it was not yet."""
        if records not in self.fed:
            plan, source = self.plan(records, "feeding"), prepared(records)
            command("topics", "apply", plan, "--broker", self.bootstrap)
            command("feed", plan, "--broker", self.bootstrap, "--input", source, core=self.core)
            self.fed.add(records)
        return source_topic(records)

    def plan(self, records: int, name: str) -> Path:
        """The workload's pipeline under a name of its own, so that its topics and its group are of its own too."""
        path = self.folder / f"{name}.toml"
        text = PIPELINE.read_text().replace('name = "workload"', f'name = "{name}"')
        path.write_text(text.replace('"workload.v1"', f'"{source_topic(records)}"'))
        return path

    async def create(self, topic: str, **settings: str) -> None:
        """A topic whose records carry the time at which the broker appended them."""
        stamped = {"message.timestamp.type": "LogAppendTime", **settings}
        await self.admin.create_topics([NewTopic(topic, PARTITIONS, 1, topic_configs=stamped)])

    async def topics(self) -> set[str]:
        """What there is now."""
        return set(await self.admin.list_topics())

    async def delete(self, topics: set[str]) -> None:
        """What a run has left behind would cost the broker work in the next one."""
        if topics:
            await self.admin.delete_topics(sorted(topics))

    @asynccontextmanager
    async def reader(self, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
        """Reads a topic from its beginning, in no group."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest",
            fetch_max_wait_ms=50,
        )  # fmt: skip
        consumer.assign([TopicPartition(topic, p) for p in range(PARTITIONS)])
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()

    async def nudge(self, records: int, word: str) -> None:
        """One more record in each partition of the source topic, an hour behind the flush events."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await producer.start()
        try:
            for p in range(PARTITIONS):
                event = {
                    "event_id": f"{word}-{p}", "device": f"nudge-{p}", "metric": "temp", "value": 20.0,
                    "ts": (START_MS + records + 2 * HOUR_MS) / 1000, "status": "flush",
                }  # fmt: skip
                key = str(event["device"]).encode()
                await producer.send_and_wait(source_topic(records), json.dumps(event).encode(), key=key, partition=p)
        finally:
            await producer.stop()


def source_topic(records: int) -> str:
    """Where the workload of this size is."""
    return f"peers-{records}.v1"


def truth(records: int) -> dict[tuple[str, int], Figures]:
    """(device, window start in ms) -> figures, without the flush events: not every program closes their windows."""
    closing = flush_start_us(records) // 1000
    return {key: figures for key, figures in expected(records).items() if key[1] != closing}


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Cluster]:
    """A broker with its data in this folder, and this process, on the first core. Raises SetupError."""
    cores = sorted(os.sched_getaffinity(0))
    node = broker.start(folder / "kafka")
    try:
        for task in Path(f"/proc/{node.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {cores[0]})
        os.sched_setaffinity(0, {cores[0]})
        admin = AIOKafkaAdminClient(bootstrap_servers=node.bootstrap)
        await admin.start()
        try:
            yield Cluster(node.bootstrap, folder, cores[0], cores[-1], admin)
        finally:
            await admin.close()
    finally:
        os.sched_setaffinity(0, cores)
        broker.stop(folder / "kafka")
