"""What must hold of the contracts of a pipeline, whatever it is called and reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lepton_stream.topics.contract import Contract

NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")
PROGRAMS = {"producers", "users", "prepare", "merge", "autopilot", "feed", "tail", "dlq", "dlq replay", "explain"}
POLICIES = {"delete", "compact"}
KEPT_DAYS = {7, 14}
FOREVER = "-1"
DAY_MS = 86_400_000


def broken(contracts: Sequence[Contract]) -> list[str]:
    """Each rule that is broken, with the topic's name; empty if the contracts are good."""
    return [*_names(contracts), *(line for c in contracts for line in _one(c)), *_pairs(contracts), *_routes(contracts)]


def _names(contracts: Sequence[Contract]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for contract in contracts:
        name = contract.name
        if not NAME.fullmatch(name) or name in (".", ".."):
            yield f"{name}: not a topic name Kafka takes (letters, digits, . _ -, at most 249)"
        # Brokers name their metrics with _ for . so that two such topics would share them.
        other = seen.setdefault(name.replace(".", "_"), contract.purpose)
        if other is not contract.purpose:
            yield f"{name}: another topic of this pipeline has the same name, or differs only by . and _"


def _one(c: Contract) -> Iterator[str]:
    if c.partitions < 1 or c.replication < 1:
        yield f"{c.name}: needs at least one partition and one copy"
    if not (c.purpose and c.key and c.value):
        yield f"{c.name}: purpose, key and value must be told"
    for role, programs in (("written", c.written_by), ("read", c.read_by)):
        if not programs:
            yield f"{c.name}: is {role} by nobody"
        for unknown in sorted(set(programs) - PROGRAMS):
            yield f"{c.name}: is {role} by {unknown}, which does not exist"
    yield from _settings(c)


def _settings(c: Contract) -> Iterator[str]:
    settings = c.settings
    if len(settings) != len(c.config):
        yield f"{c.name}: a setting is given twice"
    if settings.get("cleanup.policy") not in POLICIES:
        yield f"{c.name}: cleanup.policy must be delete or compact"
    if not settings.get("max.message.bytes", "").isdigit():
        yield f"{c.name}: max.message.bytes must be told"
    kept = settings.get("retention.ms")
    if settings.get("cleanup.policy") == "compact":
        if kept is not None:
            yield f"{c.name}: a compacted topic has no retention"
    elif kept != FOREVER and kept not in {str(days * DAY_MS) for days in KEPT_DAYS}:
        yield f"{c.name}: retention.ms must be one of {sorted(KEPT_DAYS)} days, or -1"
    if c.managed and int(settings.get("min.insync.replicas", 0)) not in range(1, c.replication + 1):
        yield f"{c.name}: min.insync.replicas must be between 1 and its copies"


def _pairs(contracts: Sequence[Contract]) -> Iterator[str]:
    by_name = {c.name: c for c in contracts}
    paired = set()
    for main in contracts:
        if main.dead_letters is None:
            continue
        paired.add(main.dead_letters)
        dead = by_name.get(main.dead_letters)
        if main.dead_letters != f"{main.name}.dlq" or dead is None:
            yield f"{main.name}: its dead letters must have a contract named {main.name}.dlq"
        elif dead.partitions != main.partitions:
            yield f"{dead.name}: needs the {main.partitions} partitions of {main.name}, has {dead.partitions}"
        elif _bytes(dead) <= _bytes(main):
            yield f"{dead.name}: max.message.bytes must exceed that of {main.name}, since headers are added"
    for name in sorted(n for n in by_name if n.endswith(".dlq") and n not in paired):
        yield f"{name}: dead letters of no topic"


def _bytes(c: Contract) -> int:
    return int(c.settings.get("max.message.bytes", 0))


def _routes(contracts: Sequence[Contract]) -> Iterator[str]:
    for routing in ("source", "group"):
        counts = {c.name: c.partitions for c in contracts if c.routed_by == routing}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{name} {n}" for name, n in counts.items())
            yield f"topics routed by {routing} must have the same number of partitions: {told}"
