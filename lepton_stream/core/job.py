"""A plan made ready to run, and what prepare knows of one source partition."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Literal, TypeAlias

from lepton_stream.cleaning.pseudonyms import Pseudonyms
from lepton_stream.dedup.fingerprint import Key
from lepton_stream.dedup.memory import DedupMemory
from lepton_stream.formats.decoder import Decoder
from lepton_stream.models.section import OrderedSection, ordered_sections
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.plan_hash import plan_hash
from lepton_stream.windows.section import Section, sections
from lepton_stream.windows.watermark import NEVER

Route = Literal["rows", "partials", "mixed"]
"""How rows of a window section travel; mixed: those of cells of several rows as partials, the others as rows."""
Lap: TypeAlias = Callable[[str], None]


def _no_lap(_stage: str) -> None:
    """Nobody is timing."""


class Job:
    """A plan made ready to run.

    `partitions`: how many shuffle partitions there are. `route`: whether prepare pre-aggregates, unless it is told
    otherwise for a chunk; the results are the same. `secret`: 16 random bytes for the fingerprints; they decide nothing
    but who can make ids collide. `pseudonyms`: the secret of a plan that has any; ValueError without one. `lap` is told
    the name of each stage when it is done, so that a runtime can time it.
    """

    def __init__(
        self,
        plan: Plan,
        decoder: Decoder,
        secret: bytes,
        *,
        partitions: int = 1,
        route: Route = "partials",
        pseudonyms: bytes | None = None,
        lap: Lap = _no_lap,
    ) -> None:
        self.plan, self.decoder = plan, decoder
        if plan.pseudonyms and pseudonyms is None:
            raise ValueError("a plan with pseudonyms needs their secret")
        self.pseudonyms = Pseudonyms(pseudonyms) if plan.pseudonyms and pseudonyms is not None else None
        self.plan_hash = plan_hash(plan, self.pseudonyms.tag if self.pseudonyms else "")
        self.partitions, self.lap = partitions, lap
        self.key = Key.from_bytes(secret)
        self.derived = tuple((d.name, d.expression) for d in plan.derived)
        self.sections: tuple[Section, ...] = sections(plan)
        self.routes: tuple[Route, ...] = (route,) * len(self.sections)
        """Of each window section, where `prepare` is told no others."""
        self.models: tuple[OrderedSection, ...] = ordered_sections(plan)
        """Models and alarms; in frames their numbers follow those of the window sections."""

    def decoding(self, decoder: Decoder) -> Job:
        """The same job for records of another form, such as a CSV file with its own header."""
        other = copy(self)
        other.decoder = decoder
        return other

    def timed_by(self, lap: Lap) -> Job:
        """The same job for another thread, which is timed on its own."""
        other = copy(self)
        other.lap = lap
        return other


class SourceState:
    """What prepare knows of one source partition: the ids it remembers and the highest event time so far.

    `era`: the number of the run, which its frames carry.
    """

    def __init__(self, job: Job) -> None:
        self.high = NEVER
        self.era = 0
        self.dedup = DedupMemory(job.plan.dedup_memory) if job.plan.source.id is not None else None
