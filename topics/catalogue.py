"""Every topic of a pipeline, in the order a record travels."""

from __future__ import annotations

from collections.abc import Iterable

from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.topics.contract import Contract, SourceFacts
from lepton_stream.topics.dead_letters import dead_letters
from lepton_stream.topics.decisions import decisions
from lepton_stream.topics.events import events
from lepton_stream.topics.late import late
from lepton_stream.topics.results import results
from lepton_stream.topics.shuffle import shuffle
from lepton_stream.topics.source import planned, source
from lepton_stream.topics.state import state


def contracts(plan: Plan, facts: SourceFacts | None = None) -> tuple[Contract, ...]:
    """The contracts of all topics. `facts`: the source topic as it is; left out, as `topics apply` would create it."""
    as_is = facts or planned(plan)
    return (
        source(plan, as_is),
        shuffle(plan),
        state(plan),
        results(plan),
        late(plan, as_is),
        dead_letters(plan, as_is),
        events(plan),
        decisions(plan),
    )


def in_use(plan: Plan, promised: Iterable[Contract]) -> tuple[Contract, ...]:
    """Those that are written or read: without models and alarms there are no events."""
    return tuple(c for c in promised if plan.in_order or c.name != names(plan).events)


def group_name(plan: Plan) -> str:
    """The consumer group of a pipeline version: the prefix of its topics."""
    return names(plan).group
