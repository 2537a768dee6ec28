"""The events topic: what models and alarms say of single records."""

from __future__ import annotations

from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.topics.contract import DAY_MS, USUAL_BYTES, Contract, kept


def events(plan: Plan) -> Contract:
    """Never compacted: every event is a fact of its own."""
    return Contract(
        name=names(plan).events,
        purpose="Scores of models and turns of alarms, at least once each; the source's place tells them apart.",
        key="canonical JSON of the group",
        value="flat JSON: group, model, field, event_time (epoch ms), seen, expected, alarm, because, place, more",
        routed_by="group",
        partitions=plan.topics.partitions,
        replication=plan.topics.replication,
        config=kept(
            plan.topics.replication,
            ("cleanup.policy", "delete"),
            ("retention.ms", str(14 * DAY_MS)),
            ("max.message.bytes", str(USUAL_BYTES)),
        ),
        written_by=("merge",),
        read_by=("tail", "users"),
    )
