"""The dead-letter topic: records that cannot be used, as they were, with the reason."""

from __future__ import annotations

from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.topics.contract import Contract, SourceFacts, set_aside


def dead_letters(plan: Plan, facts: SourceFacts) -> Contract:
    """It belongs to the source: pipelines that read the same one share it, and each letter names its pipeline."""
    return Contract(
        name=names(plan).dead_letters,
        purpose="Records of the source that could not be used; `lepton-stream dlq` reads them.",
        key="the record's own",
        value="the record's own bytes; headers `lepton.dlq.*` tell where it was and why it is here",
        routed_by="source",
        partitions=facts.partitions,
        replication=plan.topics.replication,
        config=set_aside(facts, plan.topics.replication),
        written_by=("prepare",),
        read_by=("dlq",),
        grows=True,
    )
