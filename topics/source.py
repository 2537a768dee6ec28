"""The source topic: events as producers write them. Created where it is missing, never changed."""

from __future__ import annotations

from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.topics.contract import DAY_MS, HEADER_ROOM, USUAL_BYTES, Contract, SourceFacts


def planned(plan: Plan) -> SourceFacts:
    """The source topic as `topics apply` creates it: what the plan takes fits."""
    return SourceFacts(plan.topics.partitions, max(USUAL_BYTES, plan.source.max_record_bytes + HEADER_ROOM))


def source(plan: Plan, facts: SourceFacts) -> Contract:
    """A compacted one is refused: it forgets records that were counted, so that nothing could be rebuilt from it."""
    named = names(plan)
    key = f"the canonical bytes of {', '.join(plan.source.key)}" if plan.source.key else "the producer's choice"
    return Contract(
        name=named.source,
        purpose="Events, in the order of each partition.",
        key=key,
        value=f"one event, {plan.source.format}",
        routed_by="source",
        partitions=facts.partitions,
        replication=plan.topics.replication,
        config=(
            ("cleanup.policy", "delete"),
            ("retention.ms", str(7 * DAY_MS)),
            ("max.message.bytes", str(facts.max_bytes)),
        ),
        written_by=("producers", "feed", "dlq replay"),
        read_by=("prepare",),
        dead_letters=named.dead_letters,
        managed=False,
        grows=False,
    )
