"""The decision about placement: from what the workers report, who gets what, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from lepton_stream.autopilot.decision import Decision, Option
from lepton_stream.autopilot.placement import DEFAULT, Owners, Placement, Rules, equal, peak_of, place, stay
from lepton_stream.chunk import SourcePartition

Strategy = Literal["equal", "load"]
"""How a group places partitions: as many for each worker, or by measured load."""
KNOB = "placement"
PEAK = "highest use"
MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker says of itself when it joins.

    `name`: for people. `owned`: what it has had since the group's `generation`. `loads`: cores, in the order of
    `owned`; `capacity`: cores. None: not measured.
    """

    name: str
    generation: int = -1
    owned: tuple[SourcePartition, ...] = ()
    loads: tuple[float | None, ...] = ()
    capacity: float | None = None


def decide(
    reports: Mapping[str, Report], partitions: Collection[SourcePartition], rules: Rules = DEFAULT
) -> tuple[Owners, Decision]:
    """Who gets what, by member; `reports` by member. Of two that claim a partition the later generation is right."""
    before, loads = _known(reports, partitions)
    capacities = _capacities(reports)
    chosen, kept = place(capacities, loads, before, rules), stay(capacities, loads, before, rules)
    dealt = equal(capacities, loads, before, rules)
    had = {tp: owner for tp, owner in before.items() if tp in loads}
    seen = {f"capacity of {reports[m].name}, cores": c for m, c in sorted(capacities.items())}
    measured = {tp: load for tp, load in loads.items() if load is not None}
    for member in sorted(reports):
        own = [measured[tp] for tp, owner in had.items() if owner == member and tp in measured]
        seen[f"load of {reports[member].name}, cores"] = sum(own)
    if had:
        seen[PEAK] = peak_of(capacities, {tp: loads[tp] for tp in had}, had, rules)
    options = tuple(
        Option(name, {PEAK: p.peak, MOVED: float(len(p.moved))})
        for name, p in (("stay", kept), ("load", chosen), ("equal", dealt))
    )
    choice = "load" if chosen.moved else "stay"
    return chosen.owners, Decision(KNOB, seen, options, choice, _why(chosen, kept, rules), (PEAK, chosen.peak))


def deal(
    reports: Mapping[str, Report], partitions: Collection[SourcePartition], why: str, rules: Rules = DEFAULT
) -> tuple[Owners, Decision]:
    """As many partitions for each, where loads cannot be compared; `why` not."""
    before, loads = _known(reports, partitions)
    capacities = _capacities(reports)
    dealt = equal(capacities, loads, before, rules)
    option = Option("equal", {PEAK: dealt.peak, MOVED: float(len(dealt.moved))})
    return dealt.owners, Decision(KNOB, {}, (option,), "equal", why, (PEAK, dealt.peak))


def is_settled(reports: Mapping[str, Report], partitions: Collection[SourcePartition]) -> bool:
    """Whether nobody has come or gone since these partitions were placed last: somebody has asked to do it anew."""
    owned = sorted(tp for report in reports.values() for tp in report.owned)
    generations = {report.generation for report in reports.values()}
    return len(generations) == 1 and generations != {-1} and owned == sorted(partitions)


def _why(chosen: Placement, kept: Placement, rules: Rules) -> str:
    if not chosen.moved:
        return (
            f"no move takes more than {rules.threshold:.3f} off the higher use of two workers, which is what it costs"
        )
    moved = ", ".join(f"{tp.topic}[{tp.partition}]" for tp in chosen.moved[:8])
    more = f" and {len(chosen.moved) - 8} more" if len(chosen.moved) > 8 else ""
    return f"moving {moved}{more} takes the highest use from {kept.peak:.2f} to {chosen.peak:.2f}"


def _known(
    reports: Mapping[str, Report], partitions: Collection[SourcePartition]
) -> tuple[Owners, dict[SourcePartition, float | None]]:
    """(who has had each partition, its load)."""
    before: Owners = {}
    loads: dict[SourcePartition, float | None] = dict.fromkeys(partitions)
    for member, report in sorted(reports.items(), key=lambda item: (item[1].generation, item[0])):
        for tp, load in zip(report.owned, report.loads, strict=False):
            if tp in loads:
                before[tp], loads[tp] = member, load
    return before, loads


def _capacities(reports: Mapping[str, Report]) -> dict[str, float]:
    """Of each member; who has not worked yet counts as the mean of the others, or a whole core."""
    told = [report.capacity for report in reports.values() if report.capacity is not None]
    mean = sum(told) / len(told) if told else 1.0
    return {member: mean if r.capacity is None else r.capacity for member, r in reports.items()}
