"""What a build writes that later ones must read: frames, checkpoints, claims and pointers, of fixed records.

python -m tests.golden.make      writes the files anew: only with a new version number of what has changed
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np

from lepton_stream import core
from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.core import Job, PartitionState, Route, SourceState
from lepton_stream.core.fold import UNKNOWN
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.pipeline.toml_front import parse
from lepton_stream.protocol.metadata import Claim, Pointer, to_text
from lepton_stream.protocol.outputs import records_of
from lepton_stream.protocol.parts import Stored, parts_of
from lepton_stream.shuffle.frame import decode, encode

FOLDER = Path(__file__).parent
RECORDS, CHUNK = 600, 100
TEXT = """
name = "golden"
[source]
topic = "events"
time = "t"
time_unit = "s"
id = ["id"]
[fields]
id = "int"
k = "str"
t = "int"
v = { type = "float", required = false }
w = "float"
[dedup]
memory = 300
[[window]]
name = "all_of_them"
size = "40s"
lateness = "10s"
group_by = ["k"]
[window.results]
n = "count()"
missing = "null_count(v)"
sum = "sum(v)"
variance = "variance(v)"
min = "min(v)"
first = "first(v)"
ohlc = "ohlc(v)"
rate = "rate(v)"
median = "median(v)"
different = "distinct(v)"
top = "top(k, 2)"
bars = "histogram(v, 0, 10, 5)"
both = "correlation(v, w)"
[[window]]
name = "changing"
size = "1m"
lateness = "5s"
emit = "updates"
group_by = []
[window.results]
n = "count(v)"
mean = "mean(v)"
"""


def job(route: Route = "partials") -> Job:
    """The plan made ready."""
    plan = parse(TEXT, "golden.toml")
    return Job(plan, JsonDecoder(plan.source, plan.fields), bytes(16), partitions=1, route=route)


def chunks() -> Iterator[Chunk]:
    """The records, a hundred at a time."""
    draw, values = Random(6), []
    for n in range(RECORDS):
        record = {
            "id": draw.randrange(500),
            "k": draw.choice(["a", "\u00e4\u20ac", ""]),
            "t": n // 4 + draw.randrange(6),
        }
        record |= {"v": draw.choice([None, round(draw.uniform(-1, 11), 3)]), "w": draw.randrange(100) / 4}
        values.append(json.dumps(record).encode() if draw.random() > 0.03 else b"{broken")
    for at in range(0, RECORDS, CHUNK):
        offsets, stamps = np.arange(at, at + CHUNK), np.full(CHUNK, 10**15)
        part = Values.from_list(list(values[at : at + CHUNK]))
        yield Chunk(SourcePartition("events", 0), at, at + CHUNK, offsets, part, stamps)


def frames(route: Route) -> list[bytes]:
    """What the owner of the source sends."""
    made, source = job(route), SourceState(job(route))
    return [encode(frame) for chunk in chunks() for frame in core.prepare(made, source, chunk).frames]


def empty() -> PartitionState:
    """Before the first frame."""
    return PartitionState.empty(job(), {0: UNKNOWN})


def written() -> dict[str, bytes]:
    """File name to bytes."""
    out = {f"{route}.{n}.frame": frame for route in ("rows", "partials") for n, frame in enumerate(frames(route))}
    state, told = empty(), bytearray()
    for n, frame in enumerate(frames("partials")[:4]):
        core.fold(job(), state, decode(frame))
        if n % 2:
            done = core.durable_checkpoint(job(), state, None)
            outputs = tuple(records_of(done.results))
            for i, part in enumerate(parts_of(Stored(done.delta, outputs), "golden", n, Pointer("p"), 1 << 20)):
                out[f"checkpoint.{n}.{i}.part"] = part
            told += b"".join(b"%s %s\n" % (record.key, record.value) for record in outputs)
    out["results"] = bytes(told)
    plan = job().plan_hash
    out["claim"] = to_text(Claim(plan, 70, 5, 6, 900, "run", since=3, era=2)).encode()
    out["pointer"] = to_text(Pointer(plan, 11, 13, 7, 4, upto=600, oldest=120_000_000)).encode()
    return out


def main() -> None:
    """Write the files."""
    for old in FOLDER.glob("v1/*"):
        old.unlink()
    for name, data in written().items():
        (FOLDER / "v1").mkdir(exist_ok=True)
        (FOLDER / "v1" / name).write_bytes(data)


if __name__ == "__main__":
    main()
