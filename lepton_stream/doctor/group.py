"""Judges what the consumer group of a pipeline has committed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lepton_stream.doctor.finding import Finding, of_error, ok, warn
from lepton_stream.errors import IntegrityError
from lepton_stream.protocol.metadata import claim_of, pointer_of, refuse_other_plan


@dataclass(frozen=True, slots=True)
class Place:
    """One partition: `committed` and `metadata` are None where the group has no position; the log is [start, end).

    `kept`: of a shuffle partition, how many records its state log has; None for a source partition.
    """

    topic: str
    partition: int
    committed: int | None
    metadata: str | None
    start: int
    end: int
    kept: int | None = None

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.topic} partition {self.partition}"


@dataclass(frozen=True, slots=True)
class Commits:
    """All of the group `name`; `busy`: somebody is in it now. `plan`: the hash of the plan that is asked about."""

    name: str
    busy: bool
    plan: str
    places: Sequence[Place]


def judge_commits(c: Commits) -> list[Finding]:
    """The stored plan, the metadata, and whether positions were lost; only for a broker that keeps metadata."""
    bad = [finding for place in c.places if (finding := _unfit(place, c.plan)) is not None]
    lost = list(_lost(c))
    if bad or lost:
        return [*bad[:1], *lost]
    committed = [p for p in c.places if p.committed is not None]
    who = "somebody runs it now" if c.busy else "nobody runs it now"
    if not committed:
        return [ok("commits", f"group {c.name} has none: nothing was counted yet, {who}")]
    behind = sum(p.end - (p.committed or 0) for p in c.places if p.kept is None and p.committed is not None)
    return [ok("commits", f"{len(committed)} of group {c.name}, all of plan {c.plan}; {behind:,} records wait, {who}")]


def _unfit(place: Place, plan: str) -> Finding | None:
    """The first thing that an owner of this partition would refuse, in the owner's words."""
    if place.committed is None or (place.committed == 0 and not place.metadata):
        return None
    read = claim_of if place.kept is None else pointer_of
    try:
        refuse_other_plan(read(place.metadata or "", place.where).plan, plan, place.where)
    except IntegrityError as error:
        return of_error("commits", error)
    return None


def _lost(c: Commits) -> Iterator[Finding]:
    lost = [p.where for p in c.places if p.committed is None and p.kept]
    if lost:
        what = (
            f"state of {lost[0]} is stored, but the group {c.name} has no position: its commits expired or were deleted"
        )
        remedy = (
            "nothing: the next run puts them together again from the logs, and says so; if the service did not stand "
            "still for the broker's offsets.retention.minutes, find out who deleted them"
        )
        yield warn("commits", what, remedy)
