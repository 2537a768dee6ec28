"""How well models find what was planted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lepton_stream.api.local import run
from lepton_stream.pipeline.plan import FileForm
from lepton_stream.pipeline.source import find

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """`told`: alarms; `right`: those that tell of something planted; `known`: planted things that were told of."""

    told: int
    right: int
    planted: int
    known: int

    @property
    def precision(self) -> float:
        """Share of alarms that are right."""
        return self.right / self.told

    @property
    def recall(self) -> float:
        """Share of planted things that were told of."""
        return self.known / self.planted

    def __str__(self) -> str:
        right, known = f"{self.right} of {self.told}", f"{self.known} of {self.planted}"
        return f"precision {self.precision:.3f} ({right}), recall {self.recall:.3f} ({known})"


def alarms(pipeline: str, records: Sequence[bytes], folder: Path) -> list[Event]:
    """What the shipped pipeline says of these records."""
    path = folder / "planted.jsonl"
    path.write_bytes(b"".join(record + b"\n" for record in records))
    events: list[Event] = []
    plan = find(pipeline)
    as_in_topic = replace(plan, source=replace(plan.source, file=FileForm()))
    done = run(as_in_topic, str(path), events=events.append)
    assert len(list(done)) > 0
    assert done.account.accepted == len(records)
    assert all(event["alarm"] for event in events)
    return events


def explains(event: Event, subject: str, side: int) -> bool:
    """Whether the text names the field, the direction, and the numbers of the event."""
    side_word = "above" if side > 0 else "below"
    begins = f"{subject} is {event['seen']:.6g}: {abs(event['score']):.3g} deviations of {event['deviation']:.3g} "
    text = str(event["because"])
    return text.startswith(f"{begins}{side_word} ") and text.endswith(f", {event['expected']:.6g}")
