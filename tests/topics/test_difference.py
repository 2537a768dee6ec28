"""A cluster held against the contracts: what is created, changed, told as wrong, refused."""

from __future__ import annotations

from dataclasses import replace

from lepton_stream.pipeline.plan import Plan, Source, Topics
from lepton_stream.topics.catalogue import contracts
from lepton_stream.topics.contract import Contract, value_text
from lepton_stream.topics.difference import Found, Step, differs, steps

PLAN = Plan("shop", Source("shop.orders.v1", "ts"), (), (), topics=Topics(4, 3))
ALL = contracts(PLAN)
BY_NAME = {c.name.rsplit(".", 1)[-1]: c for c in ALL}


def as_promised(c: Contract, **changes: object) -> Found:
    return replace(Found(c.name, c.partitions, c.replication, c.settings), **changes)  # type: ignore[arg-type]


def one(c: Contract, **changes: object) -> list[Step]:
    return steps([c], {c.name: as_promised(c, **changes)})


def test_a_cluster_as_promised_has_no_differences() -> None:
    assert steps(ALL, {c.name: as_promised(c) for c in ALL}) == []


def test_more_settings_than_promised_are_no_difference() -> None:
    c = BY_NAME["state"]
    assert one(c, config={**c.settings, "segment.bytes": "1"}) == []


def test_each_missing_topic_is_created_the_source_too() -> None:
    found = steps(ALL, {})
    assert [(s.action, s.topic) for s in found] == [("create", c.name) for c in ALL]
    assert differs(found)


def test_of_a_missing_topic_it_is_told_what_runs_do_without_it() -> None:
    told = {s.topic.rsplit(".", 1)[-1]: (s.without, s.note) for s in steps(ALL, {})}
    assert {name for name, (without, _) in told.items() if without} == {"decisions"}
    assert told["decisions"][1].endswith("the choice. Without it decisions of the autopilot are only logged.")


def test_each_setting_that_differs_is_set_alone() -> None:
    c = BY_NAME["shuffle"]
    settings = {**c.settings, "retention.ms": "604800000", "message.timestamp.type": "CreateTime"}
    assert [(s.action, s.what, s.found, s.wanted) for s in one(c, config=settings)] == [
        ("set", "retention.ms", "604800000", "-1"),
        ("set", "message.timestamp.type", "CreateTime", "LogAppendTime"),
    ]


def test_partitions_of_the_shuffle_are_never_changed_only_told() -> None:
    for n in (3, 5):
        (step,) = one(BY_NAME["shuffle"], partitions=n)
        assert (step.action, step.what, step.found, step.wanted) == ("wrong", "partitions", str(n), "4")


def test_dead_letters_and_late_records_get_the_partitions_they_lack() -> None:
    for name in ("dlq", "late"):
        assert [(s.action, s.wanted) for s in one(BY_NAME[name], partitions=1)] == [("grow", "4")]
        assert one(BY_NAME[name], partitions=9) == []


def test_missing_copies_are_told_and_writes_are_not_stopped_by_asking_for_more_than_there_are() -> None:
    c = BY_NAME["results"]
    found = one(c, replication=1, config={**c.settings, "min.insync.replicas": "1"})
    assert [(s.action, s.what) for s in found] == [("wrong", "replication")]


def test_a_compacted_source_is_refused_and_nothing_else_of_it_is_touched() -> None:
    source = ALL[0]
    odd = {"cleanup.policy": "compact,delete", "retention.ms": "1", "max.message.bytes": "7"}
    (step,) = one(source, partitions=99, replication=1, config=odd)
    assert (step.action, step.what, step.found) == ("refused", "cleanup.policy", "compact,delete")
    assert one(source, partitions=99, replication=1, config={**odd, "cleanup.policy": "delete"}) == []


def test_what_a_broker_does_not_tell_is_unknown_and_no_difference() -> None:
    c = BY_NAME["state"]
    untold = one(c, config=None)
    assert [s.action for s in untold] == ["unknown"]
    partly = one(c, config={k: v for k, v in c.settings.items() if k != "retention.bytes"})
    assert [(s.action, s.what) for s in partly] == [("unknown", "retention.bytes")]
    assert not differs([*untold, *partly])


def test_settings_are_told_in_days_and_units() -> None:
    assert value_text("retention.ms", "1209600000") == "14 d"
    assert value_text("retention.ms", "5") == "5 ms"
    assert value_text("retention.bytes", "-1") == "no limit"
    assert value_text("max.message.bytes", str(16 << 20)) == "16MiB"
    assert value_text("cleanup.policy", "delete") == "delete"
