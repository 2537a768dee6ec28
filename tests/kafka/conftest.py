"""A real Apache Kafka for the tests marked `kafka`: started once a session, or the one at KAFKA_BOOTSTRAP."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import os
from collections.abc import Iterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.kafka import broker, tls
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.credentials import client_options
from tests.kafka.helpers_kafka import MakeTopic

_names = itertools.count()
PATIENCE = 120.0


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs `async def` tests, each in a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = pyfuncitem._fixtureinfo.argnames
    test = pyfuncitem.obj(**{n: pyfuncitem.funcargs[n] for n in wanted})
    # Shorter than pytest's own limit: this one shows where the test was waiting.
    asyncio.run(asyncio.wait_for(test, PATIENCE))
    return True


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[broker.Node]:
    """Our own broker, with a SASL_SSL listener besides the plain one."""
    directory = tmp_path_factory.mktemp("kafka")
    try:
        yield broker.start(directory, secure=tls.Secure(broker.free_port(), "alice", "planted-secret"))
    finally:
        broker.stop(directory)


@pytest.fixture(scope="session")
def connection(request: pytest.FixtureRequest) -> Connection:
    """The cluster under test."""
    if bootstrap := os.environ.get("KAFKA_BOOTSTRAP"):
        return Connection(bootstrap)
    return Connection(request.getfixturevalue("node").bootstrap)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name that no other test or session uses: for topics, groups and producers."""
    return f"{request.function.__name__[:60]}-{os.getpid()}-{next(_names)}"


@pytest.fixture
def make_topic(connection: Connection, name: str) -> MakeTopic:
    """`await make_topic(partitions, suffix, settings)` creates a topic and gives its name."""

    async def make(partitions: int = 1, suffix: str = "", settings: dict[str, str] | None = None) -> str:
        admin = AIOKafkaAdminClient(**client_options(connection))
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name + suffix, partitions, 1, topic_configs=settings or {})])
        finally:
            await admin.close()
        return name + suffix

    return make
