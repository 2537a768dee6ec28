"""A broker that has just come up and knows of nobody yet is asked again."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.wire import Coordinator, Wire


class Client:
    """Knows no brokers before the third update of its metadata; aiokafka then asserts that there was a bootstrap."""

    def __init__(self, known_after: int) -> None:
        self.updates = 0
        self.cluster = SimpleNamespace(brokers=lambda: [1] if self.updates >= known_after else [])

    async def coordinator_lookup(self, *_: Any) -> int:
        assert self.cluster.brokers()
        return 1

    async def send(self, node: int, request: str, **_: Any) -> str:
        return f"{request} at {node}"

    async def force_metadata_update(self) -> None:
        self.updates += 1


def ask(known_after: int, patience: float) -> Any:
    async def asked() -> Any:
        wire = Wire(Connection("127.0.0.1:1"), patience=patience)
        wire._client = Client(known_after)
        return await wire.coordinated(Coordinator.GROUP, "g", "hello")

    return asyncio.run(asked())


def test_who_knows_of_no_broker_asks_again_until_there_is_one() -> None:
    assert ask(3, 30.0) == "hello at 1"


def test_and_says_why_when_there_is_none() -> None:
    with pytest.raises(BrokerError, match=r"gave no answer for .* \(NodeNotReadyError\)"):
        ask(1_000_000, 0.3)
