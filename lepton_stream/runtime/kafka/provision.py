"""The topics of a pipeline brought to what their contracts say, or told where they are not."""

from __future__ import annotations

from dataclasses import dataclass

from lepton_stream.errors import IntegrityError, LeptonError, Problem
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.runtime.kafka.admin import Admin
from lepton_stream.topics.catalogue import contracts, in_use
from lepton_stream.topics.contract import USUAL_BYTES, Contract, SourceFacts
from lepton_stream.topics.difference import Found, Step, steps
from lepton_stream.topics.house_rules import broken


@dataclass(frozen=True, slots=True)
class Survey:
    """One look at a cluster: the contracts (those that hang on the source follow it), and all differences."""

    contracts: tuple[Contract, ...]
    steps: tuple[Step, ...]

    @property
    def refusals(self) -> tuple[Step, ...]:
        """What no pipeline may run with."""
        return tuple(step for step in self.steps if step.action == "refused")


async def survey(plan: Plan, admin: Admin) -> Survey:
    """Look at the cluster; changes nothing. Raises LeptonError for names that clash, BrokerError."""
    found = await admin.found(c.name for c in contracts(plan))
    source = found.get(names(plan).source)
    promised = contracts(plan, None if source is None else facts_of(source))
    if problems := broken(promised):
        title = f"{plan.name}: its topics break the house rules; name the pipeline or its source otherwise"
        raise LeptonError("\n".join([title, *(f"  - {p}" for p in problems)]))
    used = in_use(plan, promised)
    return Survey(used, tuple(steps(used, found)))


def facts_of(source: Found) -> SourceFacts:
    """What our topics follow of the source as it is."""
    told = (source.config or {}).get("max.message.bytes", "")
    return SourceFacts(source.partitions, int(told) if told.isdigit() else USUAL_BYTES)


async def apply(plan: Plan, admin: Admin) -> list[Step]:
    """Create and change what can be; what was done, then what is left for a person or cannot be known.

    Doing it again does nothing. Raises IntegrityError, before anything is touched, for a source that is refused.
    """
    seen = await survey(plan, admin)
    refuse(seen)
    by_name = {c.name: c for c in seen.contracts}
    create = [by_name[s.topic] for s in seen.steps if s.action == "create"]
    grow = {s.topic: int(s.wanted) for s in seen.steps if s.action == "grow"}
    if create:
        await admin.create(create)
    if grow:
        await admin.grow(grow)
    done = [s for s in seen.steps if s.action in ("create", "grow")]
    return [*done, *(await _set(seen, admin)), *(s for s in seen.steps if s.action in ("wrong", "unknown"))]


async def _set(seen: Survey, admin: Admin) -> list[Step]:
    settings: dict[str, dict[str, str]] = {}
    wanted = [s for s in seen.steps if s.action == "set"]
    for step in wanted:
        settings.setdefault(step.topic, {})[step.what] = step.wanted
    if not settings or await admin.set(settings):
        return wanted
    note = "this broker does not change settings of topics"
    return [Step("unknown", s.topic, s.what, s.found, s.wanted, note) for s in wanted]


def refuse(seen: Survey) -> None:
    """Raises IntegrityError where a pipeline must not run."""
    if seen.refusals:
        problems = [Problem(f"{s.topic} {s.what}", s.found, f"expects {s.wanted}: {s.note}") for s in seen.refusals]
        raise IntegrityError("\n".join(["nothing was changed", *(f"  - {p}" for p in problems)]))
