"""Placement by measured load in Kafka's own way: members send reports when they join, the leader decides for all.

Every member offers equal placement besides, under the name that it always had: a group in which somebody knows nothing
else, such as a worker of an older build, still forms, and is placed equally.
"""

# ruff: noqa: SLF001  (what lies inside aiokafka and Faust is pinned by tests/kafka/test_contract.py)

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment as Assignment
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata as Metadata
from aiokafka.protocol.group import JoinGroupRequest

from lepton_stream.autopilot.decision import Decision
from lepton_stream.autopilot.placement import Owners
from lepton_stream.autopilot.placing import PEAK, Report, deal, decide, is_settled
from lepton_stream.autopilot.reporting import Word, report_of, report_to_bytes, word_of, word_to_bytes
from lepton_stream.chunk import SourcePartition

NAME = "lepton-load"
EQUAL = RoundRobinPartitionAssignor.name


class LoadAssignor:
    """An aiokafka assignor, one object a worker; its methods are called in the consumer's thread.

    `word`: what the leader said with the last assignment, None where it was none of ours, as in a group that is placed
    equally. `measured`: loads and capacity, put there as a new pair by whoever measures.
    """

    name = NAME
    version = 0

    def __init__(self, called: str, decided: Callable[[Decision], None]) -> None:
        """`called`: this worker's name for people. `decided`: hears what it has decided as the group's leader."""
        self.word: Word | None = None
        self.measured: tuple[Mapping[SourcePartition, float | None], float | None] = ({}, None)
        self.generation: Callable[[], int] = lambda: -1
        """Of the group, as the coordinator knows it."""
        self._called, self._decided = called, decided
        self._owned: tuple[SourcePartition, ...] = ()
        self._since = -1
        self._last: Decision | None = None
        self._led = False

    @property
    def report(self) -> Report:
        """What this worker says of itself with its next join."""
        loads, capacity = self.measured
        return Report(self._called, self._since, self._owned, tuple(map(loads.get, self._owned)), capacity)

    def metadata(self, topics: Iterable[str]) -> Metadata:
        """What goes to the leader."""
        return Metadata(self.version, sorted(topics), report_to_bytes(self.report))

    def on_assignment(self, assignment: Assignment) -> None:
        """Our partitions came, and the leader's word."""
        self.word = word_of(assignment.user_data)
        self._owned = tuple(SourcePartition(tp.topic, tp.partition) for tp in assignment.partitions())
        self._since = self.generation()
        if not self._led:
            self._last = None  # what becomes of it is the new leader's to see
        self._led = False

    def assign(self, cluster: Any, members: Mapping[str, Metadata]) -> dict[str, Assignment]:
        """Who gets what; called where this worker is the group's leader.

        Members whose reports cannot be read, or that want other topics than the others, make it an equal placement.
        """
        self._led = True
        topics = sorted({topic for member in members.values() for topic in member.subscription})
        partitions = [SourcePartition(t, p) for t in topics for p in sorted(cluster.partitions_for_topic(t) or ())]
        if any(sorted(member.subscription) != topics for member in members.values()):
            return dict(RoundRobinPartitionAssignor.assign(cluster, members))
        read = {member: report_of(metadata.user_data) for member, metadata in members.items()}
        reports = distinct({m: Report(f"member {m[-8:]}") if r is None else r for m, r in read.items()})
        if strange := sum(report is None for report in read.values()):
            why = f"{strange} of {len(read)} members say nothing that this version reads: nobody's load is compared"
            owners, decision = deal(reports, partitions, why)
        else:
            owners, decision = decide(reports, partitions)
        self._tell(decision)
        word = word_to_bytes(Word(len(members), asked=not strange and is_settled(reports, partitions)))
        return {member: self._assignment(owners, member, word) for member in members}

    def _assignment(self, owners: Owners, member: str, word: bytes) -> Assignment:
        own: dict[str, list[int]] = defaultdict(list)
        for tp, owner in sorted(owners.items()):
            if owner == member:
                own[tp.topic].append(tp.partition)
        return Assignment(self.version, sorted(own.items()), word)

    def _tell(self, decision: Decision) -> None:
        """First what became of the decision before, as the members report it now."""
        if self._last is not None and PEAK in decision.seen:
            self._decided(replace(self._last, delivered=decision.seen[PEAK]))
        self._last = decision
        self._decided(decision)


class _Equally(RoundRobinPartitionAssignor):  # type: ignore[misc]
    """Equal placement, which tells ours what came of it: a later placement by load starts from there."""

    def __init__(self, ours: LoadAssignor) -> None:
        self.on_assignment = ours.on_assignment


def distinct(reports: Mapping[str, Report]) -> dict[str, Report]:
    """Names are for people, and two may be alike: then the end of the member's id tells them apart."""
    names = [report.name for report in reports.values()]
    return {
        member: report if names.count(report.name) == 1 else replace(report, name=f"{report.name} ({member[-8:]})")
        for member, report in reports.items()
    }


def offer(coordinator: Any, assignor: LoadAssignor) -> None:
    """Join groups with both placements on offer, this one first. Before the coordinator joins.

    aiokafka sends a request to join after each assignor that it adds to its list: a member with two would join with the
    first alone, and then once more. So the coordinator has one, and its request gets the second on its way.
    """
    send = coordinator._send_req

    async def send_request(request: Any) -> Any:
        if isinstance(request, JoinGroupRequest):
            topics = coordinator._subscription.subscription.topics
            equal = (EQUAL, RoundRobinPartitionAssignor.metadata(sorted(topics)).encode())
            request._group_protocols = [*(p for p in request._group_protocols if p[0] != EQUAL), equal]
        return await send(request)

    equally = _Equally(assignor)
    assignor.generation = lambda: int(coordinator.generation)
    coordinator._assignors = (assignor,)
    coordinator._send_req = send_request
    coordinator._lookup_assignor = {NAME: assignor, EQUAL: equally}.get
