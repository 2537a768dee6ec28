"""What we rely on inside Faust, mode and aiokafka, by name: an upgrade that changes it fails here and says what.

Everything else that we use of them is public. When one of these fails, read the new source at that name and the place
in `lepton_stream/runtime/kafka` that uses it, then change both.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer import fetcher
from aiokafka.consumer.group_coordinator import BaseCoordinator, CoordinatorGroupRebalance, GroupCoordinator
from aiokafka.errors import for_code
from aiokafka.producer.message_accumulator import BatchBuilder, MessageAccumulator
from aiokafka.producer.sender import SendProduceReqHandler
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.protocol.api import Request
from aiokafka.protocol.group import JoinGroupRequest
from aiokafka.record._crecords import DefaultRecordBatch, DefaultRecordBatchBuilder, crc32c_cython
from aiokafka.structs import TopicPartition
from faust.transport.conductor import Conductor
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode.utils.queues import FlowControlEvent

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka import app as our_app
from lepton_stream.runtime.kafka import transport as our_transport
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.protocol import CommitRequest
from lepton_stream.runtime.kafka.raw import PartitionRecords
from tests.kafka.helpers_kafka import OnePartition

INSIDE = {
    "aiokafka.consumer.fetcher:FetchResult": ["check_assignment", "has_more", "_update_position"],
    "aiokafka.consumer.fetcher:FetchError": ["check_raise"],
    "aiokafka.consumer.fetcher:PartitionRecords": ["_unpack_records"],
    "aiokafka.consumer.fetcher:Fetcher": [
        "_create_fetch_waiter",
        "_get_actions_per_node",
        "_notify",
        "_proc_fetch_request",
        "seek_to",
    ],
    "aiokafka.consumer.group_coordinator:GroupCoordinator": [
        "reset_generation",
        "_push_error_to_user",
        "_do_heartbeat",
        "request_rejoin",
        "_send_req",
        "_lookup_assignor",
    ],
    "aiokafka.consumer.subscription_state:SubscriptionState": ["fetch_context", "wait_for_assignment"],
    "aiokafka.client:AIOKafkaClient": ["_wait_on_metadata", "coordinator_lookup", "force_metadata_update", "send"],
    "aiokafka.producer.message_accumulator:BatchBuilder": ["_build", "_set_producer_state", "append", "close"],
    "aiokafka.producer.transaction_manager:TransactionManager": ["set_pid_and_epoch", "has_pid"],
    "aiokafka.producer.sender:Sender": ["close"],
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread": [
        "_create_worker_consumer",
        "_ensure_consumer",
        "__post_init__",
        "_commit",
        "commit",
        "call_thread",
        "close",
        "on_start",
    ],
    "faust.transport.drivers.aiokafka:ConsumerRebalanceListener": ["on_partitions_revoked", "on_partitions_assigned"],
    "faust.transport.drivers.aiokafka:Consumer": [
        "_new_consumer_thread",
        "_drain_messages",
        "_to_message",
        "on_partitions_revoked",
        "on_partitions_assigned",
        "perform_seek",
        "on_buffer_full",
        "on_buffer_drop",
        "commit",
        "force_commit",
        "_commit",
        "ack",
        "wait_empty",
        "verify_all_partitions_active",
        "wait_first",
    ],
    "faust.app.base:App": ["_new_transport", "_create_directories", "flow_control"],
    "faust.tables.manager:TableManager": ["_update_channels", "on_start", "recovery"],
    "mode.utils.queues:FlowControlEvent": ["suspend", "resume", "clear"],
    "mode.services:Service": ["_crash", "crash", "wait_first"],
}
"""Names that we override or call."""

WRITTEN_IN_INIT = {
    fetcher.FetchResult: ["_topic_partition", "_partition_records", "_assignment"],
    PartitionRecords.__bases__[0]: [
        "_records",
        "_aborted_transactions",
        "_isolation_level",
        "next_fetch_offset",
        "_records_iterator",
    ],
    fetcher.Fetcher: [
        "_records",
        "_fetch_max_wait_ms",
        "_fetch_min_bytes",
        "_fetch_task",
        "_fetch_waiters",
        "_pending_tasks",
        "_wait_consume_future",
        "_subscriptions",
        "_closed",
        "_max_partition_fetch_bytes",
    ],
    GroupCoordinator: [
        "generation",
        "member_id",
        "_group_instance_id",
        "_closing",
        "_coordination_task",
        "_rejoin_needed_fut",
        "_assignors",
    ],
    BaseCoordinator: ["_subscription"],
    JoinGroupRequest: ["_group_protocols"],
    AIOKafkaConsumer: [
        "_fetch_max_wait_ms",
        "_retry_backoff_ms",
        "_isolation_level",
        "_closed",
        "_fetcher",
        "_coordinator",
    ],
    AIOKafkaProducer: ["_txn_manager", "_sender", "client", "_closed", "_message_accumulator"],
    MessageAccumulator: ["_batches", "_pending_batches"],
    AIOKafkaClient: ["cluster"],
}
"""Attributes that we read or set."""


@pytest.mark.parametrize("where", INSIDE)
def test_the_names_that_we_override_or_call_are_there(where: str) -> None:
    module, _, name = where.partition(":")
    owner = getattr(importlib.import_module(module), name)
    for attribute in INSIDE[where]:
        assert hasattr(owner, attribute), f"{where}.{attribute} is gone"


@pytest.mark.parametrize("owner", WRITTEN_IN_INIT, ids=lambda c: c.__name__)
def test_the_attributes_that_we_read_or_set_are_there(owner: type) -> None:
    source = inspect.getsource(owner)
    for attribute in WRITTEN_IN_INIT[owner]:
        assert re.search(rf"self\.{attribute}\b(: .+)? = ", source), f"{owner.__name__} no longer sets {attribute}"


def test_every_private_name_that_we_use_is_pinned_here() -> None:
    pinned = {n for names in (*INSIDE.values(), *WRITTEN_IN_INIT.values()) for n in names}
    ours = Path(our_app.__file__).parent
    text = "".join(file.read_text() for file in ours.glob("*.py"))
    own = set(re.findall(r"(?:def |self\.)(_[a-z]\w+)", text))
    used = set(re.findall(r"[\w\])]\.(_[a-z]\w+)", text)) - own
    elsewhere = {"_replace", "_crecords", "_crashed", "_thread", "_stopped", "_resume", "_suspend", "_consumer"}
    assert used <= pinned | elsewhere, f"not pinned: {sorted(used - pinned - elsewhere)}"


# -- behaviour that needs no broker


def test_a_coordinator_calls_its_assignors_and_sends_its_requests_where_we_step_in() -> None:
    joins = inspect.getsource(CoordinatorGroupRebalance.perform_group_join)
    assert "for assignor in self._assignors:" in joins
    assert "self._coordinator._send_req(request)" in joins
    for step in (GroupCoordinator._perform_assignment, GroupCoordinator._on_join_complete):
        assert "self._lookup_assignor(" in inspect.getsource(step)
    assert "self._group_protocols" in inspect.getsource(JoinGroupRequest.build)


def test_the_fetcher_makes_record_sets_through_its_module_global() -> None:
    assert fetcher.MemoryRecords.__name__ == "RawRecords"
    source = inspect.getsource(fetcher.Fetcher._proc_fetch_request)
    assert "MemoryRecords(part_data[-1])" in source, "our RawRecords would not be used"


def test_an_out_of_range_fetch_without_a_reset_policy_becomes_an_error_for_the_reader() -> None:
    source = inspect.getsource(fetcher.Fetcher._proc_fetch_request)
    assert "Errors.OffsetOutOfRangeError({tp: fetch_offset})" in source, "its argument names partition and offset"
    assert fetcher.OffsetResetStrategy.from_str("none") == fetcher.OffsetResetStrategy.NONE


def test_partitions_compare_equal_whichever_library_made_them() -> None:
    ours, theirs, fausts = SourcePartition("t", 1), TopicPartition("t", 1), TP("t", 1)
    assert ours == theirs == fausts
    assert len({ours, theirs, fausts}) == 1


def test_the_compiled_reader_takes_a_batch_whose_checksum_does_not_fit() -> None:
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1000)
    builder.append(0, 1, b"k", b"v", [("h", None)])
    raw = bytearray(builder.build())
    raw[17] ^= 1
    (record,) = DefaultRecordBatch(bytes(raw))
    assert (record.offset, record.timestamp, record.key, record.value) == (0, 1, b"k", b"v")
    assert list(record.headers) == [("h", None)]
    assert not DefaultRecordBatch(bytes(raw)).validate_crc()
    assert crc32c_cython(b"123456789") == 0xE3069283


def test_flow_control_of_faust_still_clears_on_resume_and_ours_does_not() -> None:
    async def kept(flow: Any) -> bool:
        cleared = []
        flow.clear = lambda: cleared.append(1)
        flow.suspend()
        flow.resume()
        assert flow.is_active()
        return not cleared

    assert not asyncio.run(kept_with(FlowControlEvent, kept))
    assert asyncio.run(kept_with(our_transport.Flow, kept))


async def kept_with(kind: type, check: Any) -> bool:
    return bool(await check(kind()))


def test_a_message_takes_the_thirteen_places_that_we_fill() -> None:
    names = list(inspect.signature(ConsumerMessage.__init__).parameters)[1:]
    assert names[:3] == ["topic", "partition", "offset"]
    assert names[11] == "tp"
    assert "generation_id" in names


def test_a_topic_without_acks_is_not_tracked() -> None:
    assert "if channel.acks:" in inspect.getsource(Conductor._update_indices)


def test_streams_skip_events_of_an_old_generation() -> None:
    source = (Path(driver.__file__).parents[2] / "_cython" / "streams.pyx").read_text()
    assert "message.generation_id != self.app.consumer_generation_id" in source


def test_aiokafka_knows_no_error_82_and_calls_it_unknown() -> None:
    assert for_code(82).__name__ == "UnknownError", "aiokafka learnt error 82: wire.told can use its name"


def test_a_request_builds_itself_in_the_newest_version_that_the_broker_knows() -> None:
    assert issubclass(CommitRequest, Request)
    request = CommitRequest("g", Identity(3, "m", "i"), {SourcePartition("t", 1): (5, "x")})
    new, old = request.prepare({8: (2, 9)}), request.prepare({8: (2, 6)})
    assert (new.API_VERSION, old.API_VERSION) == (7, 3)
    assert new.encode().endswith(b"\x00\x00\x00\x00\x00\x00\x00\x05\xff\xff\xff\xff\x00\x01x")
    assert b"\x00\x01g\x00\x00\x00\x03\x00\x01m\x00\x01i" in new.encode()
    assert b"\x00\x01i" not in old.encode()


async def test_a_producer_with_an_epoch_at_hand_asks_for_none_and_opens_no_transaction() -> None:
    manager = TransactionManager(None, 1)
    manager.set_pid_and_epoch(7, 3)
    assert manager.has_pid()
    assert (manager.producer_id, manager.producer_epoch, manager.transactional_id) == (7, 3, None)
    source = inspect.getsource(MessageAccumulator._pop_batch)
    assert "set_producer_state" in source
    assert "InvalidProducerEpoch" in inspect.getsource(SendProduceReqHandler.handle_response)


def test_a_batch_is_built_once_and_holds_a_first_record_of_any_size() -> None:
    builder = BatchBuilder(100, 0, is_transactional=False)
    assert builder.append(timestamp=1, key=None, value=b"." * 5000) is not None
    assert builder.append(timestamp=1, key=None, value=b".") is None
    assert builder._build() is builder._build()


async def test_the_settings_of_our_app_are_what_we_promise() -> None:
    app = our_app.make_app(Connection("127.0.0.1:1"), "g", OnePartition(), instance="i")
    conf = app.conf
    assert conf.consumer_auto_offset_reset == "none"
    assert conf.consumer_group_instance_id == "i"
    assert conf.broker_max_poll_interval == our_app.NEVER
    assert (conf.web_enabled, conf.topic_allow_declare, conf.topic_disable_leader) == (False, False, True)
    assert conf.stream_wait_empty is False
    assert conf.worker_redirect_stdouts is False
    assert conf.id == "g"
    assert isinstance(app.transport, our_transport.ChunkTransport)
    assert isinstance(app.consumer, our_transport.ChunkConsumer)
    assert isinstance(app.flow_control, our_transport.Flow)
    assert app.chunk_topic("t").acks is False
    app.consumer._thread.thread_loop.close()


async def test_the_consumer_takes_our_settings_before_it_starts() -> None:
    app = our_app.make_app(Connection("127.0.0.1:1"), "g", OnePartition())
    consumer = app.consumer._thread._create_worker_consumer(app.transport)
    assert consumer._fetch_max_wait_ms == 50
    assert consumer._isolation_level == "read_committed"
    assert consumer._auto_offset_reset == "none"
    assert consumer._enable_auto_commit is False
    await consumer.stop()
    app.consumer._thread.thread_loop.close()
