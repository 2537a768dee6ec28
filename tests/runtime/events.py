"""A small pipeline for events, and events for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

TOML = """
name = "events"
[source]
topic = "events.v1"
time = "t"
key = "device"
id = ["id"]
[source.file]
format = "FORMAT"
[fields]
t = "float"
device = "str"
id = "str"
value = "float"
[dedup]
memory = 20000
[[window]]
name = "ten"
size = "10s"
lateness = "2s"
[window.results]
n = "count()"
mean = "mean(value)"
"""
DEVICES = 3
LAST = "Z"


def plan_file(folder: Path, form: str = "json") -> Path:
    """The pipeline as a file."""
    path = folder / f"{form}.toml"
    path.write_text(TOML.replace("FORMAT", form))
    return path


def event(i: int, note: str = "") -> bytes:
    """Event `i` of one a tenth of a second."""
    return b'{"t":%.1f,"device":"d%d","id":"%d","value":%d.5,"note":"%s"}\n' % (
        i / 10,
        i % DEVICES,
        i,
        i % 7,
        note.encode(),
    )


def events(count: int, first: int = 0) -> bytes:
    """Events one after the other."""
    return b"".join(event(i) for i in range(first, first + count))


def as_csv(count: int) -> bytes:
    """The same events as CSV with a header."""
    rows = (b"%.1f,d%d,%d,%d.5\n" % (i / 10, i % DEVICES, i, i % 7) for i in range(count))
    return b"t,device,id,value\n" + b"".join(rows)


def blocks(count: int) -> Iterator[bytes]:
    """A megabyte of events at a time: each block has later times and other ids than the one before it."""
    note = "x" * 400
    many = 2100
    body = b"".join(
        b'{"t":TTTTTTTT.%03d,"device":"d%d","id":"%d-TTTTTTTT","value":1.5,"note":"%s"}\n'
        % (i % 1000, i % 50, i, note.encode())
        for i in range(many)
    )
    for block in range(count):
        yield body.replace(b"TTTTTTTT", b"%d" % (10_000_000 + block))
