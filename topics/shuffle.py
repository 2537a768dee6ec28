"""The shuffle topic: the one hop between prepare and merge."""

from __future__ import annotations

from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.topics.contract import FOREVER, FRAME_BYTES, Contract, kept


def shuffle(plan: Plan) -> Contract:
    """No retention by time or size: a merge that lags must never lose frames. Merge trims what it has folded."""
    return Contract(
        name=names(plan).shuffle,
        purpose="Frames: the rows and partials of a range of the source, one for every partition.",
        key="none",
        value="a frame: header, then columns",
        routed_by="group",
        partitions=plan.topics.partitions,
        replication=plan.topics.replication,
        config=kept(
            plan.topics.replication,
            ("cleanup.policy", "delete"),
            ("retention.ms", FOREVER),
            ("retention.bytes", FOREVER),
            # Idleness goes by the broker's time, learnt from the acknowledgements of frames.
            ("message.timestamp.type", "LogAppendTime"),
            ("max.message.bytes", str(FRAME_BYTES)),
        ),
        written_by=("prepare",),
        read_by=("merge",),
    )
