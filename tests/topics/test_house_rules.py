"""The house rules hold for the contracts of every plan, and each rule finds a contract that breaks it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan, Source, Topics
from lepton_stream.pipeline.show import describe
from lepton_stream.pipeline.source import find, shipped
from lepton_stream.topics.catalogue import contracts, group_name
from lepton_stream.topics.contract import Contract, SourceFacts
from lepton_stream.topics.house_rules import broken

PLAN = Plan("shop", Source("shop.orders.v1", "ts"), (), ())
GOOD = contracts(PLAN)


def changed(at: str, **fields: object) -> list[Contract]:
    """The good contracts, one of them changed."""
    found = [replace(c, **fields) if c.name == at else c for c in GOOD]  # type: ignore[arg-type]
    assert tuple(found) != GOOD
    return found


def without(at: str, setting: str) -> tuple[tuple[str, str], ...]:
    return tuple(s for c in GOOD if c.name == at for s in c.config if s[0] != setting)


def with_setting(at: str, setting: str, value: str) -> tuple[tuple[str, str], ...]:
    return (*without(at, setting), (setting, value))


@pytest.mark.parametrize("name", shipped())
def test_shipped_pipelines_keep_the_house_rules(name: str) -> None:
    assert broken(contracts(find(name))) == []


@pytest.mark.parametrize("replication", [1, 2, 3, 5])
@pytest.mark.parametrize("facts", [None, SourceFacts(7, 1000), SourceFacts(1, 50 << 20)])
@pytest.mark.parametrize("limit", [100, 524_288, 10 << 20])
def test_whatever_the_source_is_like_the_rules_hold(replication: int, facts: SourceFacts | None, limit: int) -> None:
    source = replace(PLAN.source, max_record_bytes=limit)
    assert broken(contracts(replace(PLAN, source=source, topics=Topics(3, replication)), facts)) == []


STATE, DLQ, SOURCE = "lepton.shop.state", "shop.orders.v1.dlq", "shop.orders.v1"
BAD = {
    "a name that Kafka does not take": (changed(STATE, name="lepton.shop/state"), "not a topic name"),
    "a name that is too long": (changed(STATE, name="x" * 250), "not a topic name"),
    "the same name twice": ([*GOOD, replace(GOOD[1], purpose="another")], "same name"),
    "names that differ by . and _ only": (changed(STATE, name="lepton.shop_shuffle"), "differs only by . and _"),
    "no partition": (changed("lepton.shop.decisions", partitions=0), "at least one partition"),
    "no purpose": (changed(STATE, purpose=""), "purpose, key and value"),
    "no writer": (changed(STATE, written_by=()), "is written by nobody"),
    "a reader that does not exist": (changed(STATE, read_by=("nobody-yet",)), "read by nobody-yet"),
    "a misspelt policy": (changed(STATE, config=with_setting(STATE, "cleanup.policy", "compacted")), "cleanup.policy"),
    "a setting twice": (changed(STATE, config=(*GOOD[2].config, ("retention.ms", "-1"))), "given twice"),
    "no size": (changed(STATE, config=without(STATE, "max.message.bytes")), "max.message.bytes must be told"),
    "a retention not in the list": (changed(STATE, config=with_setting(STATE, "retention.ms", "5")), "retention.ms"),
    "compacted with retention": (
        changed(STATE, config=with_setting(STATE, "cleanup.policy", "compact")),
        "no retention",
    ),
    "more in sync than there are": (
        changed(STATE, config=with_setting(STATE, "min.insync.replicas", "2")),
        "min.insync.replicas",
    ),
    "dead letters without a contract": (changed(DLQ, name="shop.orders.v1.dead"), "named shop.orders.v1.dlq"),
    "dead letters of no topic": (changed(SOURCE, dead_letters=None), "dead letters of no topic"),
    "fewer partitions for dead letters": (changed(DLQ, partitions=1), "needs the 4 partitions"),
    "dead letters that do not fit": (
        changed(DLQ, config=with_setting(DLQ, "max.message.bytes", "1048588")),
        "must exceed",
    ),
    "same key, other partitions": (changed(STATE, partitions=8), "routed by group must have the same number"),
}


@pytest.mark.parametrize("rule", BAD)
def test_a_contract_that_breaks_a_rule_is_found(rule: str) -> None:
    contracts_, told = BAD[rule]
    assert any(told in line for line in broken(contracts_)), broken(contracts_)


def test_a_source_that_is_named_like_a_topic_of_ours_is_found() -> None:
    clash = replace(PLAN, source=replace(PLAN.source, topic="lepton.shop.results"))
    assert any("same name" in line for line in broken(contracts(clash)))


def test_a_later_version_has_topics_and_a_group_of_its_own_beside_the_old_ones() -> None:
    second = replace(PLAN, version=2)
    shared = {c.name for c in contracts(PLAN)} & {c.name for c in contracts(second)}
    assert shared == {SOURCE, DLQ}
    assert (group_name(PLAN), group_name(second)) == ("lepton.shop", "lepton.shop.v2")
    assert "lepton.shop.v2.shuffle" in {c.name for c in contracts(second)}


def test_every_name_has_a_contract_and_check_tells_the_names_of_the_contracts() -> None:
    named = names(PLAN)
    all_names = {getattr(named, f) for f in named.__slots__} - {named.group}
    assert {c.name for c in GOOD} == all_names
    told = "\n".join(describe(replace(PLAN, version=3)))
    for name in ("lepton.shop.v3.shuffle", "lepton.shop.v3.results", "lepton.shop.v3.late", DLQ):
        assert name in told


def test_nothing_that_merge_needs_is_ever_deleted_by_time_or_size() -> None:
    for name in ("lepton.shop.shuffle", STATE):
        settings = next(c for c in GOOD if c.name == name).settings
        assert (settings["cleanup.policy"], settings["retention.ms"], settings["retention.bytes"]) == (
            "delete", "-1", "-1"
        )  # fmt: skip
        assert settings["max.message.bytes"] == str(16 << 20)
