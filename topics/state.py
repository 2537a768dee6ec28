"""The state topic: what merge knows, so that another worker can go on from there."""

from __future__ import annotations

from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.topics.contract import FOREVER, FRAME_BYTES, Contract, kept


def state(plan: Plan) -> Contract:
    """Never compacted: the group's pointer says which parts count, the key would not. Merge trims what is older."""
    return Contract(
        name=names(plan).state,
        purpose="Checkpoints of each shuffle partition, in parts.",
        key="none",
        value="a part of a checkpoint: header, then columns",
        routed_by="group",
        partitions=plan.topics.partitions,
        replication=plan.topics.replication,
        config=kept(
            plan.topics.replication,
            ("cleanup.policy", "delete"),
            ("retention.ms", FOREVER),
            ("retention.bytes", FOREVER),
            ("max.message.bytes", str(FRAME_BYTES)),
        ),
        written_by=("merge",),
        read_by=("merge",),
    )
