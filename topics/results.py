"""The results topic: what users read."""

from __future__ import annotations

from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.topics.contract import FRAME_BYTES, Contract, kept


def results(plan: Plan) -> Contract:
    """Compacted: the newest version of each result stays for good."""
    return Contract(
        name=names(plan).results,
        purpose="Window results; of one key the highest version counts.",
        key="canonical JSON of window, start and group",
        value="flat JSON: group, window, window_start, window_end (epoch ms), the result columns, final, version",
        routed_by="group",
        partitions=plan.topics.partitions,
        replication=plan.topics.replication,
        # A group may be as long as a record, and is in key and value: a refused result would stop the worker.
        config=kept(plan.topics.replication, ("cleanup.policy", "compact"), ("max.message.bytes", str(FRAME_BYTES))),
        written_by=("merge",),
        read_by=("tail", "users"),
    )
