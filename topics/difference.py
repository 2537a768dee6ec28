"""What a cluster has, held against the contracts: what to create, what to change, what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lepton_stream.topics.contract import Contract

Action: TypeAlias = Literal["create", "set", "grow", "wrong", "refused", "unknown"]
"""`wrong`: differs, and a person has to mend it. `refused`: no pipeline may run so. `unknown`: the broker tells not."""
MENDS: tuple[Action, ...] = ("create", "set", "grow")


@dataclass(frozen=True, slots=True)
class Found:
    """A topic of the cluster. `config`: all its settings, None where the broker does not tell them."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Step:
    """One difference. `what`: a setting, "partitions", "replication", or nothing for the whole topic.

    `without`: what a run does without a topic that is missing; empty: none starts.
    """

    action: Action
    topic: str
    what: str = ""
    found: str = ""
    wanted: str = ""
    note: str = ""
    without: str = ""


def steps(contracts: Sequence[Contract], found: Mapping[str, Found]) -> list[Step]:
    """All differences, contract by contract; empty where everything is as promised."""
    return [step for contract in contracts for step in _steps(contract, found.get(contract.name))]


def differs(found: Sequence[Step]) -> bool:
    """Whether any of them is a difference, rather than something that cannot be known."""
    return any(step.action != "unknown" for step in found)


def _steps(c: Contract, found: Found | None) -> Iterator[Step]:
    if found is None:
        wanted = f"partitions {c.partitions}, copies {c.replication}"
        note = f"{c.purpose} Without it {c.without}." if c.without else c.purpose
        yield Step("create", c.name, wanted=wanted, note=note, without=c.without)
    elif not c.managed:
        yield from _source(c, found)
    else:
        yield from _partitions(c, found)
        yield from _replication(c, found)
        yield from _settings(c, found)


def _source(c: Contract, found: Found) -> Iterator[Step]:
    """It is somebody else's: only what makes it unusable is told."""
    policy = (found.config or {}).get("cleanup.policy", "delete")
    if "compact" in policy:
        note = "compaction deletes records that were counted, so nothing can be rebuilt; read a topic that only deletes"
        yield Step("refused", c.name, "cleanup.policy", policy, "delete", note)


def _partitions(c: Contract, found: Found) -> Iterator[Step]:
    n, wanted = found.partitions, c.partitions
    if c.grows and n < wanted:
        yield Step("grow", c.name, "partitions", str(n), str(wanted), "the source has as many")
    elif not c.grows and n != wanted:
        note = "it decides where groups are: set topics.partitions to what is there, or give the plan a new `version`"
        if c.routed_by == "none":
            note = "their order would be lost: delete the topic and apply again"
        yield Step("wrong", c.name, "partitions", str(n), str(wanted), note)


def _replication(c: Contract, found: Found) -> Iterator[Step]:
    if found.replication != c.replication:
        note = "kafka-reassign-partitions changes it, or set topics.replication to what is there"
        yield Step("wrong", c.name, "replication", str(found.replication), str(c.replication), note)


def _settings(c: Contract, found: Found) -> Iterator[Step]:
    if found.config is None:
        yield Step("unknown", c.name, "settings", note="this broker does not tell the settings of topics")
        return
    for setting, wanted in c.config:
        if setting == "min.insync.replicas" and int(wanted) > found.replication:
            continue  # it would stop all writes; that copies are missing is told already
        has = found.config.get(setting)
        if has is None:
            yield Step("unknown", c.name, setting, wanted=wanted, note="this broker does not tell it")
        elif has != wanted:
            yield Step("set", c.name, setting, has, wanted)
