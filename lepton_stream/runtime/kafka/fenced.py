"""Results producers that only the newest owner of a partition can use: epochs of a transactional id, no transactions.

A new owner takes a fresh epoch with InitProducerId. Its first write to a partition makes the broker refuse every write
there under an older epoch. Before that first write the old owner's writes still arrive.
"""

# ruff: noqa: SLF001  (what lies inside aiokafka and Faust is pinned by tests/kafka/test_contract.py)

from __future__ import annotations

import logging
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.protocol.transaction import InitProducerIdRequest

from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.credentials import client_options
from lepton_stream.runtime.kafka.errors import Fenced
from lepton_stream.runtime.kafka.produce import Producer
from lepton_stream.runtime.kafka.said import said
from lepton_stream.runtime.kafka.wire import NOT_READY, Coordinator, Wire

CONCURRENT_TRANSACTIONS = 51
NOT_AUTHORIZED = 53
FENCED = (47, 90)
TRANSACTION_TIMEOUT_MS = 60_000
logger = logging.getLogger(__name__)


def producer_id(group: str, partition: int) -> str:
    """The transactional id under which results of a shuffle partition are written."""
    return f"{group}.p{partition}"


class FencedProducer(Producer):
    """Idempotent sends under the newest epoch of a transactional id; `send_all` raises Fenced under an older one.

    `fencing=False` (for a broker that cannot: `supports_fencing`) makes it a plain producer.
    """

    def __init__(
        self, connection: Connection, transactional_id: str, wire: Wire, *, fencing: bool = True, **options: Any
    ) -> None:
        super().__init__(connection, **options)
        self._id, self._wire, self._fencing = transactional_id, wire, fencing
        self._epoch: tuple[int, int] | None = None

    @property
    def epoch(self) -> tuple[int, int] | None:
        """(producer id, epoch) since `open`, None for a plain producer."""
        return self._epoch

    async def open(self) -> FencedProducer:
        """Take a fresh epoch and connect: from our first write on, older owners are refused. Raises BrokerError."""
        if self._fencing:
            self._epoch = await take_epoch(self._wire, self._id)
        await super().open()
        return self

    def _make(self) -> Any:
        if self._epoch is None:
            return super()._make()
        producer = AIOKafkaProducer(
            enable_idempotence=True,
            request_timeout_ms=int(self.timeout * 1000),
            retry_backoff_ms=50,
            **client_options(self.connection),
        )
        # With an id at hand aiokafka does not ask for one: sequence numbers and epoch as usual, no transaction.
        producer._txn_manager.set_pid_and_epoch(*self._epoch)
        return producer


async def take_epoch(wire: Wire, transactional_id: str) -> tuple[int, int]:
    """A fresh (producer id, epoch): 4 ms. Raises Fenced or BrokerError."""

    def busy(answer: Any) -> bool:
        return answer.error_code in (*NOT_READY, CONCURRENT_TRANSACTIONS)

    request = InitProducerIdRequest(transactional_id, TRANSACTION_TIMEOUT_MS)
    answer = await wire.coordinated(Coordinator.PRODUCER, transactional_id, request, retry=busy)
    code = answer.error_code
    if code in FENCED:
        raise Fenced(f"the producer id {transactional_id} belongs to a newer owner")
    if code == NOT_AUTHORIZED:
        raise BrokerError(f"the broker does not let us use the producer id {transactional_id}; allow WRITE on it")
    if code:
        raise BrokerError(f"no epoch for the producer id {transactional_id}: {said(code)}")
    return answer.producer_id, answer.producer_epoch


async def supports_fencing(wire: Wire, group: str) -> bool:
    """Whether epochs rise as fencing needs: two in a row for a probe id of this group."""
    probe = f"{group}.probe"
    try:
        first, second = await take_epoch(wire, probe), await take_epoch(wire, probe)
    except BrokerError as error:
        logger.info("no fenced results: %s", error)
        return False
    return first[0] == second[0] and second[1] > first[1]
