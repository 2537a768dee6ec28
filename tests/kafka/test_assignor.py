"""Placement by load as aiokafka calls it: what members send, what the leader makes of it and of what it cannot read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment as Assignment
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata as Metadata
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.autopilot.decision import Decision
from lepton_stream.autopilot.placing import PEAK
from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.assignor import LoadAssignor, distinct

TOPICS = {"in": 8, "shuffle": 4}
ALL = [SourcePartition(topic, p) for topic, count in TOPICS.items() for p in range(count)]


class Cluster:
    """What the leader knows of topics."""

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(TOPICS[topic])) if topic in TOPICS else None


class Group:
    """Members without a broker: all join, the first one is the leader, everybody gets its share as bytes."""

    def __init__(self, *names: str) -> None:
        self.decisions: list[Decision] = []
        self.members = {name: LoadAssignor(name, self.decisions.append) for name in names}
        self.generation = 0

    def join(self, *strange: tuple[str, bytes]) -> dict[str, list[SourcePartition]]:
        """One rebalance; `strange`: further members with what they send."""
        self.generation += 1
        told = {name: Metadata.decode(m.metadata(TOPICS).encode()) for name, m in self.members.items()}
        told |= {name: Metadata(0, sorted(TOPICS), data) for name, data in strange}
        given = next(iter(self.members.values())).assign(Cluster(), told)
        for name, member in self.members.items():
            member.generation = lambda: self.generation
            member.on_assignment(Assignment.decode(given[name].encode()))
        return {name: owned(assignment) for name, assignment in given.items()}

    def measure(self, load: float, **capacities: float) -> None:
        """Every partition takes as much; members get so much of a core."""
        for name, capacity in capacities.items():
            self.members[name].measured = (dict.fromkeys(ALL, load), capacity)


def owned(assignment: Any) -> list[SourcePartition]:
    return [SourcePartition(tp.topic, tp.partition) for tp in assignment.partitions()]


def each_once(given: dict[str, list[SourcePartition]]) -> bool:
    return sorted(tp for own in given.values() for tp in own) == sorted(ALL)


def sizes(given: dict[str, list[SourcePartition]]) -> list[int]:
    return sorted(map(len, given.values()))


def test_a_new_group_gets_as_many_of_each_topic_each() -> None:
    given = Group("a", "b").join()
    assert each_once(given)
    assert [Counter(tp.topic for tp in own) for own in given.values()] == [{"in": 4, "shuffle": 2}] * 2


def test_a_throttled_member_gives_partitions_away_and_the_others_keep_theirs() -> None:
    group = Group("slow", "fast")
    before = group.join()
    group.measure(0.08, slow=0.25, fast=1.0)
    after = group.join()
    assert each_once(after)
    assert len(after["slow"]) <= 4
    assert set(before["fast"]) < set(after["fast"])
    assert group.decisions[-1].choice == "load"
    assert group.members["fast"].word == group.members["slow"].word
    word = group.members["slow"].word
    assert word is not None
    assert (word.members, word.asked) == (2, True)


def test_who_comes_or_goes_has_not_asked() -> None:
    group = Group("a", "b")
    group.join()
    group.members["c"] = LoadAssignor("c", group.decisions.append)
    given = group.join()
    assert each_once(given)
    assert min(sizes(given)) == 4
    word = group.members["a"].word
    assert word is not None
    assert (word.members, word.asked) == (3, False)
    del group.members["c"]
    assert each_once(group.join())
    word = group.members["a"].word
    assert word is not None
    assert (word.members, word.asked) == (2, False)


def test_what_a_decision_brought_is_told_with_the_next_one() -> None:
    group = Group("slow", "fast")
    group.join()
    group.measure(0.08, slow=0.25, fast=1.0)
    group.join()
    promised = group.decisions[-1]
    group.measure(0.06, slow=0.25, fast=1.0)
    group.join()
    completed, new = group.decisions[-2:]
    assert completed.why == promised.why
    assert completed.delivered == new.seen[PEAK]
    assert completed.delivered == pytest.approx(promised.promised[1] * 0.06 / 0.08)


@given(st.binary(max_size=60))
def test_a_member_that_says_nothing_we_can_read_makes_it_an_equal_placement(data: bytes) -> None:
    group = Group("a", "b")
    group.join()
    group.measure(0.08, a=0.25, b=1.0)
    given = group.join(("strange", data))
    assert each_once(given)
    assert sizes(given) == [4, 4, 4]
    assert group.decisions[-1].choice == "equal"
    assert "1 of 3 members" in group.decisions[-1].why


def test_members_that_want_other_topics_get_none_that_they_did_not_ask_for() -> None:
    leader = LoadAssignor("a", lambda _: None)
    told = {"a": leader.metadata(TOPICS), "b": leader.metadata(["in"])}
    given = {m: owned(assignment) for m, assignment in leader.assign(Cluster(), told).items()}
    assert each_once(given)
    assert {tp.topic for tp in given["b"]} == {"in"}


def test_a_topic_that_the_leader_does_not_know_is_left_out() -> None:
    leader = LoadAssignor("a", lambda _: None)
    topics: Iterable[str] = ["in", "gone"]
    given = leader.assign(Cluster(), {"a": leader.metadata(topics)})
    assert {tp.topic for tp in owned(given["a"])} == {"in"}


def test_after_an_equal_placement_ours_starts_from_what_everybody_has() -> None:
    group = Group("a", "b")
    told = {name: RoundRobinPartitionAssignor.metadata(sorted(TOPICS)) for name in group.members}
    before = {}
    for name, assignment in RoundRobinPartitionAssignor.assign(Cluster(), told).items():
        group.members[name].on_assignment(assignment)
        assert group.members[name].word is None
        before[name] = owned(assignment)
    assert {name: sorted(own) for name, own in group.join().items()} == {n: sorted(own) for n, own in before.items()}


def test_two_of_the_same_name_are_told_apart() -> None:
    one = LoadAssignor("host", lambda _: None).report
    other = LoadAssignor("other", lambda _: None).report
    named = distinct({"member-1": one, "member-2": one, "member-3": other})
    assert len({report.name for report in named.values()}) == 3
    assert named["member-3"].name == "other"
