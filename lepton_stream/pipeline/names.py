"""What the topics and the consumer group of a pipeline are called."""

from __future__ import annotations

from dataclasses import dataclass

from lepton_stream.pipeline.plan import Plan


@dataclass(frozen=True, slots=True)
class Names:
    """Full names. A later pipeline version has topics and a group of its own, so that it can run beside the old one."""

    source: str
    shuffle: str
    state: str
    results: str
    late: str
    events: str
    decisions: str
    dead_letters: str
    group: str


def names(plan: Plan) -> Names:
    """`lepton.<pipeline>.shuffle` and so on; from version 2 on `lepton.<pipeline>.v2.shuffle`."""
    prefix = f"lepton.{plan.name}" if plan.version == 1 else f"lepton.{plan.name}.v{plan.version}"
    kinds = ("shuffle", "state", "results", "late", "events", "decisions")
    own = {kind: f"{prefix}.{kind}" for kind in kinds}
    return Names(source=plan.source.topic, **own, dead_letters=f"{plan.source.topic}.dlq", group=prefix)
