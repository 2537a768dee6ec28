"""The late topic: records that came after every window they belong to."""

from __future__ import annotations

from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.topics.contract import Contract, SourceFacts, set_aside


def late(plan: Plan, facts: SourceFacts) -> Contract:
    """As many partitions as the source: a record keeps its partition's number."""
    return Contract(
        name=names(plan).late,
        purpose="Records that were late for every window section, as they were.",
        key="the record's own",
        value="the record's own bytes",
        routed_by="source",
        partitions=facts.partitions,
        replication=plan.topics.replication,
        config=set_aside(facts, plan.topics.replication),
        written_by=("prepare",),
        read_by=("users",),
        grows=True,
    )
