"""What a run refuses to start on: one message with the remedy, the documented exit code, and nothing reset."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic

from deploy.kafka.broker import free_port
from lepton_stream.chunk import SourcePartition
from lepton_stream.protocol.metadata import pointer_of, to_text
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.group import NOBODY
from lepton_stream.runtime.kafka.logs import Logs
from lepton_stream.runtime.kafka.produce import Producer, Record
from lepton_stream.runtime.kafka.protocol import CommitRequest
from lepton_stream.runtime.kafka.view import Seen
from lepton_stream.runtime.kafka.wire import Coordinator, Wire
from tests.acceptance.commands import run
from tests.kafka_pipeline.expected import write_planted
from tests.kafka_pipeline.pipe import PLANTED, Pipe

pytestmark = pytest.mark.kafka
FEW = 400


def counted(folder: Path, bootstrap: str) -> Pipe:
    """A pipeline that has counted a few records and left."""
    pipe = Pipe(folder, bootstrap, PLANTED.read_text())
    pipe.apply()
    pipe.feed(write_planted(folder / "in.jsonl", FEW, seed=41))
    pipe.to_the_end(workers=1)
    return pipe


@pytest.fixture
def pipe(bootstrap: str, tmp_path: Path) -> Iterator[Pipe]:
    """For damage that cannot be undone."""
    with counted(tmp_path, bootstrap) as made:
        yield made


@pytest.fixture(scope="module")
def shared(bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipe]:
    """For damage that is undone."""
    with counted(tmp_path_factory.mktemp("refused"), bootstrap) as made:
        yield made


def assert_refused(pipe: Pipe, code: int, *words: str) -> None:
    """One message that says this; the group's commits are as they were."""
    before: Seen = pipe.look()
    found, messages = pipe.refused()
    assert (found, len(messages)) == (code, 1), messages
    assert all(word in messages[0] for word in words), messages[0]
    assert_told_by_doctor(pipe)
    assert pipe.look().committed == before.committed


def assert_told_by_doctor(pipe: Pipe) -> None:
    """Whoever asks `doctor` instead is told of it too, with a remedy for each finding."""
    done = run("doctor", pipe.path, "--broker", pipe.bootstrap, "--json")
    failing = [f for f in json.loads(done.stdout)["findings"] if f["level"] == "fail"]
    assert (done.returncode, bool(failing)) == (7, True), done.stdout
    assert all(f["remedy"] for f in failing), failing


def commit(pipe: Pipe, tp: SourcePartition, offset: int, metadata: str) -> None:
    """As an operator would: only an empty group takes it."""
    request = CommitRequest(pipe.names.group, NOBODY, {tp: (offset, metadata)})
    answer = pipe.ask(lambda wire: wire.coordinated(Coordinator.GROUP, pipe.names.group, request))
    assert [code for _, rows in answer.topics for _, code in rows] == [0]


def admin(pipe: Pipe, *calls: tuple[str, Any]) -> None:
    """Calls of the admin client, one after the other."""

    async def called(_: Wire) -> None:
        client = AIOKafkaAdminClient(bootstrap_servers=pipe.bootstrap)
        await client.start()
        try:
            for name, argument in calls:
                await getattr(client, name)(argument)
        finally:
            await client.close()

    pipe.ask(called)


def test_a_changed_plan_of_the_same_version(shared: Pipe) -> None:
    try:
        shared.write(PLANTED.read_text().replace('size = "1m"', 'size = "2m"'))
        assert_refused(shared, 5, "runs plan", "--until-end", "`version`")
    finally:
        shared.write(PLANTED.read_text())


@pytest.mark.parametrize("metadata", ["", "somebody else's"])
@pytest.mark.parametrize("topic", ["source", "shuffle"])
def test_a_position_that_another_program_has_committed(shared: Pipe, topic: str, metadata: str) -> None:
    tp = SourcePartition(getattr(shared.names, topic), 2)
    before = shared.look().committed[tp]
    assert before is not None
    try:
        commit(shared, tp, before.offset, metadata)
        assert_refused(shared, 5, f"{tp.topic} partition 2", "another program", "use another consumer group")
    finally:
        commit(shared, tp, *before)


def test_state_of_a_version_that_this_build_does_not_know(shared: Pipe) -> None:
    tp = SourcePartition(shared.names.shuffle, 0)
    before = shared.look().committed[tp]
    assert before is not None
    pointer = pointer_of(before.metadata, "here")
    (stored,) = (s for s in shared.stored(shared.names.state) if (s.partition, s.offset) == (0, pointer.first))
    assert stored.value is not None
    newer = stored.value[:2] + bytes([stored.value[2] + 1]) + stored.value[3:]

    async def append(_: Wire) -> int:
        async with Producer(Connection(shared.bootstrap)) as producer:
            (ack,) = await producer.send_all([Record(SourcePartition(shared.names.state, 0), newer)])
            return ack.offset

    at = shared.ask(append)
    try:
        commit(shared, tp, before.offset, to_text(replace_pointer(pointer, at)))
        assert_refused(shared, 5, "version")
    finally:
        commit(shared, tp, *before)


def replace_pointer(pointer: Any, at: int) -> Any:
    """The pointer, to another record."""
    return type(pointer)(pointer.plan, at, at, at, pointer.number, pointer.ended, pointer.upto, pointer.oldest)


def test_a_source_that_was_truncated_beyond_its_position(pipe: Pipe) -> None:
    pipe.feed(write_planted(pipe.folder / "more.jsonl", FEW, seed=42))
    ends = {tp: pipe.look().ends[tp] for tp in pipe.partitions(pipe.source)}
    pipe.ask(lambda wire: Logs(wire).trim(ends))
    assert_refused(pipe, 5, f"{pipe.source} partition 0", "outside the log", "nothing was reset", "Restore the topic")


@pytest.mark.parametrize("records", [FEW // 4, pytest.param(FEW * 2, marks=pytest.mark.slow)])
def test_a_source_that_was_deleted_and_made_anew(pipe: Pipe, records: int) -> None:
    admin(pipe, ("delete_topics", [pipe.source]))
    deadline = time.monotonic() + 20
    while pipe.source in pipe.ask(topics_of):
        assert time.monotonic() < deadline
    admin(pipe, ("create_topics", [NewTopic(pipe.source, 4, 1)]))
    pipe.feed(write_planted(pipe.folder / "anew.jsonl", records, seed=43))
    assert_refused(pipe, 5, pipe.source, "nothing was reset")


async def topics_of(wire: Wire) -> set[str]:
    """All topics of the cluster."""
    client = AIOKafkaAdminClient(bootstrap_servers=wire.connection.bootstrap)
    await client.start()
    try:
        return set(await client.list_topics())
    finally:
        await client.close()


def test_a_source_with_more_partitions_than_before(pipe: Pipe) -> None:
    admin(pipe, ("create_partitions", {pipe.source: NewPartitions(6)}))
    assert_refused(pipe, 5, "has 6 partitions, and had 4", "new `version`")


def test_a_shuffle_with_more_partitions_than_before(pipe: Pipe) -> None:
    names = pipe.names
    admin(pipe, ("create_partitions", {names.shuffle: NewPartitions(6)}))
    assert_refused(pipe, 5, "has 4 partitions", "has 6", "new `version`")
    admin(pipe, ("create_partitions", {t: NewPartitions(6) for t in (names.state, names.results)}))
    assert_refused(pipe, 5, "4 shuffle partitions, but there are 6 now", "new `version`")


def test_topics_that_are_missing(bootstrap: str, tmp_path: Path) -> None:
    with Pipe(tmp_path, bootstrap, PLANTED.read_text()) as pipe:
        code, messages = pipe.refused()
        assert (code, len(messages)) == (2, 1), messages
        assert pipe.names.shuffle in messages[0]
        assert "topics apply" in messages[0]
        assert_told_by_doctor(pipe)


def test_a_broker_that_is_down(tmp_path: Path) -> None:
    began = time.monotonic()
    with Pipe(tmp_path, f"127.0.0.1:{free_port()}", PLANTED.read_text()) as pipe:
        code, messages = pipe.refused()
        assert_told_by_doctor(pipe)
    assert (code, len(messages)) == (4, 1), messages
    assert pipe.bootstrap in messages[0]
    assert time.monotonic() - began < 25
