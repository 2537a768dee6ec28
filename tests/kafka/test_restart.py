"""The broker goes away and comes back under a running worker: nothing is lost, nothing is committed twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.kafka import broker
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.credentials import client_options
from tests.kafka.children import PARTITIONS, Child, all_committed, check_coverage, feed

pytestmark = pytest.mark.kafka


async def test_a_worker_outlives_a_restart_of_the_broker(name: str, tmp_path: Path) -> None:
    node = await asyncio.to_thread(broker.start, tmp_path)
    try:
        connection = Connection(node.bootstrap)
        admin = AIOKafkaAdminClient(**client_options(connection))
        await admin.start()
        await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
        await admin.close()
        async with Child(connection, name, name, session=10) as child:
            await feed(connection, name, 1000)
            await child.until(lambda: bool(child.said("ok")))
            await asyncio.to_thread(broker.stop, tmp_path)
            await asyncio.to_thread(broker.start, tmp_path, int(node.bootstrap.rpartition(":")[2]))
            await feed(connection, name, 1000)
            await all_committed(connection, name, name, 2000, [child])
            await child.leave()
        check_coverage([child], 2000)
    finally:
        await asyncio.to_thread(broker.stop, tmp_path)
