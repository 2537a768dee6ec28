"""What a workload is like: every knob that the cost of an event may depend on, and the pipeline that goes with it.

At its defaults the workload is the one of the published comparison: drop bad and repeated events; count, mean, min, max
for each of 1,000 devices a minute, from JSON events of 126 bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

START_MS = 1_700_000_000_000
MINUTE_MS = 60_000
REPEATED = 0.02
"""Share of events that repeat one of the last `REACH` events exactly."""
REACH = 1000
BAD = 0.005
WIDE_BYTES = 289


@dataclass(frozen=True, slots=True)
class Shape:
    """A workload: one event a millisecond of event time.

    `keys`: devices. `windows`: sections of 1, 2, 3, ... minutes with four results each. `fields`: numbers that the
    pipeline reads of an event, besides device, id and time. `wide`: four more members, which the pipeline does not
    read. `size`: events are filled up to so many bytes. `bad`: share of events without a usable value. `partitions`:
    of all topics.
    """

    records: int = 1_000_000
    seed: int = 1
    keys: int = 1000
    windows: int = 1
    fields: int = 1
    wide: bool = False
    size: int = 0
    bad: float = BAD
    partitions: int = 4

    def of(self, **changes: Any) -> Shape:
        """The same with some knobs turned."""
        return replace(self, **changes)

    @property
    def name(self) -> str:
        """A name for files and topics: equal for equal shapes, different for others."""
        digest = hashlib.blake2b(orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS), digest_size=5).hexdigest()
        return f"bench-{self.records}-{digest}"

    @property
    def numbers(self) -> list[str]:
        """Names of the numbers that the pipeline reads."""
        return ["value", *(f"n{i:02}" for i in range(2, self.fields + 1))]

    @property
    def sections(self) -> dict[str, int]:
        """Window sections: name and size in milliseconds."""
        return {f"m{i}": i * MINUTE_MS for i in range(1, self.windows + 1)}


def pipeline(shape: Shape, version: int = 1, *, name: str | None = None) -> str:
    """The pipeline of a workload as TOML; pipeline and source topic are called `name`, or as the shape is.

    Another version has topics of its own, but for the source.
    """
    name = name or shape.name
    read = "\n".join(f'{name} = "float"' for name in shape.numbers)
    sections = "\n".join(_section(name, size_ms // MINUTE_MS) for name, size_ms in shape.sections.items())
    return f"""name = "{name}"
version = {version}

[source]
topic = "{name}"
time = "ts"
key = ["device"]
id = ["event_id"]

[fields]
event_id = "str"
device = "str"
ts = "float"
{read}

[topics]
partitions = {shape.partitions}

[dedup]
memory = 4_000_000

{sections}"""


def _section(name: str, minutes: int) -> str:
    return f"""[[window]]
name = "{name}"
size = "{minutes}m"
lateness = "10s"
group_by = ["device"]
[window.results]
n = "count()"
mean = "mean(value)"
min = "min(value)"
max = "max(value)"
"""
