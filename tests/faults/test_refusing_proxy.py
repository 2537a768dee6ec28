"""The refusing proxy tells a client the code that was asked for, and what it says of the log is true."""

from __future__ import annotations

import asyncio

import pytest

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.errors import SendFailed
from lepton_stream.runtime.kafka.produce import Producer, Record
from tests.faults import inject
from tests.faults.node import Node
from tests.faults.plain import whole
from tests.faults.refusals import PRODUCE, RefusingProxy

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
NOT_LEADER, TOO_LARGE = 6, 10


def sent_through(node: Node, topic: str) -> list[bytes | None]:
    """One record by the proxy; the values in the log after."""
    inject.recreate(node.bootstrap, topic, 1)

    async def send() -> None:
        async with Producer(Connection(node.by_proxy)) as producer:
            await producer.send_all([Record(SourcePartition(topic, 0), b"once")])

    asyncio.run(send())
    return [record.value for record in whole(node.bootstrap, topic, 1)]


def test_a_refused_request_does_not_reach_the_broker(node: Node, refusing: RefusingProxy) -> None:
    refusing.refuse(PRODUCE, NOT_LEADER, 2)
    assert sent_through(node, "refused-before") == [b"once"]
    assert refusing.told == {(PRODUCE, NOT_LEADER): 2}


def test_a_request_refused_after_it_was_done_is_done_each_time(node: Node, refusing: RefusingProxy) -> None:
    refusing.refuse(PRODUCE, NOT_LEADER, 2, after=True)
    assert sent_through(node, "refused-after") == [b"once"] * 3


def test_a_code_that_no_trying_again_helps_against_is_told_to_the_sender(node: Node, refusing: RefusingProxy) -> None:
    refusing.refuse(PRODUCE, TOO_LARGE, 1)
    with pytest.raises(SendFailed, match="refused-for-good"):
        sent_through(node, "refused-for-good")
    assert whole(node.bootstrap, "refused-for-good", 1) == []
