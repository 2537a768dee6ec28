"""TLS and SCRAM against a real listener: in with the right credentials, one clear line with wrong ones."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace

import pytest

from deploy.kafka import broker
from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.logs import Logs
from lepton_stream.runtime.kafka.produce import Producer, Record
from lepton_stream.runtime.kafka.reader import read_range
from lepton_stream.runtime.kafka.wire import Wire
from tests.kafka.helpers_kafka import MakeTopic, read_some

# aiokafka leaves the socket of a refused login to the collector, which complains: here, and not in a later test
pytestmark = [pytest.mark.kafka, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def secure(node: broker.Node) -> Connection:
    return Connection(node.secure_bootstrap, username="alice", password="planted-secret", cafile=str(node.ca))


@pytest.fixture
def connection(node: broker.Node) -> Connection:
    """The plain listener of the same broker, whatever KAFKA_BOOTSTRAP says."""
    return Connection(node.bootstrap)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_every_client_gets_in_with_the_right_password(
    secure: Connection, make_topic: MakeTopic, name: str, mechanism: str
) -> None:
    tp = SourcePartition(await make_topic(), 0)
    c = replace(secure, sasl_mechanism=mechanism)
    async with Producer(c) as producer:
        await producer.send_all([Record(tp, b"%d" % i) for i in range(10)])
    async with Wire(c) as wire:
        assert await Logs(wire).ends([tp]) == {tp: 10}
    assert [chunk.end async for chunk in read_range(c, tp, 0, 10)][-1] == 10
    assert await read_some(c, name, tp, 10) == [b"%d" % i for i in range(10)]


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ({"password": "planted-wrong"}, "it refused the login; check LEPTON__KAFKA__USERNAME"),
        ({"username": "mallory"}, "it refused the login"),
        ({"cafile": ""}, "signed by an unknown authority; name its file with LEPTON__KAFKA__CAFILE"),
        ({"sasl_mechanism": "PLAIN"}, "does not offer this SASL mechanism"),
        ({"security_protocol": "PLAINTEXT"}, r"\(PLAINTEXT\): it closed the connection; check the port"),
    ],
)
async def test_a_refusal_says_why_and_what_to_do_and_never_the_password(
    secure: Connection, wrong: dict[str, str], cause: str
) -> None:
    c = replace(secure, **wrong)  # type: ignore[arg-type]
    for client in (Wire(c, timeout=5), Producer(c, timeout=5)):
        with pytest.raises(BrokerError, match=cause) as caught:
            await client.open()
        assert "planted" not in str(caught.value)


async def test_tls_on_a_plain_port_is_told(node: broker.Node, secure: Connection) -> None:
    with pytest.raises(
        BrokerError, match=r"it closed the connection; check the port and LEPTON__KAFKA__SECURITY_PROTOC"
    ):
        await Wire(replace(secure, bootstrap=node.bootstrap), timeout=5).open()
