"""The decisions topic: what the autopilot saw, chose and gained."""

from __future__ import annotations

from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.topics.contract import DAY_MS, USUAL_BYTES, Contract, kept


def decisions(plan: Plan) -> Contract:
    """One partition: decisions are few, and read in the order they were made.

    Not compacted: what became of earlier choices is what people ask for.
    """
    return Contract(
        name=names(plan).decisions,
        purpose="Each choice of the autopilot: what was seen, the options with their cost, the choice.",
        key="canonical JSON of knob, worker and what it is about",
        value="JSON: what was seen, the options, the choice, why, what it promised and delivered (see below)",
        routed_by="none",
        partitions=1,
        replication=plan.topics.replication,
        config=kept(
            plan.topics.replication,
            ("cleanup.policy", "delete"),
            ("retention.ms", str(14 * DAY_MS)),
            ("max.message.bytes", str(USUAL_BYTES)),
        ),
        written_by=("autopilot",),
        read_by=("explain",),
        without="decisions of the autopilot are only logged",
    )
