"""Source logs and plans, made from a seed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random

from lepton_stream.core import Job, Route
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.toml_front import parse

SECOND = 1_000_000
ROUTES: tuple[Route, ...] = ("rows", "partials", "mixed")
BIG = 1 << 53
"""Above it a float holds only every other integer."""

HEAD = """
name = "model"
[source]
topic = "events"
time = "t"
time_unit = "s"
key = ["k"]
id = ["id"]
[fields]
id = "int"
k = "str"
g = "int"
t = "int"
v = "int"
[dedup]
memory = {memory}
"""
SECTIONS = (
    """
[[window]]
name = "total"
size = "10s"
lateness = "6s"
group_by = ["k"]
[window.results]
n = "count()"
total = "sum(v)"
""",
    """
[[window]]
name = "latest"
size = "7s"
lateness = "2s"
grace = "3s"
emit = "updates"
group_by = ["g"]
[window.results]
n = "count()"
last = "last(v)"
""",
    """
[[window]]
name = "all"
size = "25s"
offset = "3s"
lateness = "4s"
group_by = []
[window.results]
n = "count()"
""",
)

MODEL = """
[[model]]
name = "odd"
by = ["g"]
score = "ewma(v, 0.25)"
threshold = 1
warmup = 2
lateness = "3s"
forget = "25s"
emit = "all"
"""

ALARM = """
[[alarm]]
name = "lasting"
by = ["g"]
field = "v"
above = 40
back = 40
open_values = 2
close_after = "1s"
lateness = "3s"
"""

BROKEN = (b"{", b"[]", b'{"id":1}', b'{"id":1,"k":"a","g":0,"t":5,"v":"x"}', None)


@dataclass(frozen=True)
class Entry:
    """One record of a log; `marker`: no record at all, an offset that a transaction used up."""

    value: bytes | None
    marker: bool = False


Log = list[Entry]


def plan_of(rng: Random, *, scored: bool = False) -> Plan:
    """One or two of the sections, and a memory that is smaller than the log. `scored`: with a model and an alarm."""
    chosen = rng.sample(SECTIONS, rng.choice((1, 2, 2)))
    text = HEAD.format(memory=rng.choice((4, 7, 12))) + "".join(chosen)
    return parse(text + (MODEL + ALARM) * scored, "model.toml")


def job_of(plan: Plan, partitions: int, route: Route) -> Job:
    """The plan made ready; the same fingerprints in every incarnation."""
    return Job(plan, JsonDecoder(plan.source, plan.fields), bytes(16), partitions=partitions, route=route)


def log_of(rng: Random, records: int) -> Log:
    """Records whose times ascend with disorder, leaps and late ones, with repeated ids, broken ones and markers."""
    log: Log = []
    time = 100
    for _ in range(records):
        time += rng.choice((0, 1, 1, 2, 3, 3, 30 if rng.random() < 0.2 else 2))
        log.append(_entry(rng, time))
    return log


def _entry(rng: Random, time: int) -> Entry:
    chance = rng.random()
    if chance < 0.04:
        return Entry(None, marker=True)
    if chance < 0.10:
        return Entry(rng.choice(BROKEN))
    back = rng.choice((0, 0, 0, 1, 2, 3, 5, 9)) if chance < 0.9 else -9
    record = {"id": BIG + rng.randrange(14), "k": rng.choice("abc"), "g": rng.randrange(3), "t": max(0, time - back)}
    return Entry(json.dumps(record | {"v": rng.randrange(100)}).encode())
