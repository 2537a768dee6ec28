"""The fault matrix: every row, and where it stands. A row without a test here says why.

`kind`: "tested" by `test_fNN_...` in tests/faults, "elsewhere" by the test that `note` names, or "refused": it does not
apply or cannot be brought about on one machine, for the reason in `note`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Row(NamedTuple):
    """One fault."""

    number: str
    fault: str
    kind: Literal["tested", "elsewhere", "refused"]
    note: str = ""


MATRIX = (
    Row("F1", "a worker is killed (-9), again and again", "tested"),
    Row("F2", "all workers are killed (-9) at once", "tested"),
    Row("F3", "SIGTERM: a rolling restart", "tested"),
    Row("F4", "a worker is frozen beyond its session, and wakes", "tested"),
    Row("F5", "the network between worker and broker is cut both ways", "tested"),
    Row("F6", "the network is cut one way: acknowledgements are lost", "tested"),
    Row("F7", "a slow network: 200 ms of latency, 1 Mbit/s", "tested"),
    Row("F8", "connections are reset", "tested"),
    Row("F9", "the broker is killed (-9) and started again", "tested"),
    Row("F10", "the broker is frozen", "tested"),
    Row("F11", "leaders and coordinators move: each of three brokers dies in turn", "tested"),
    Row("F12", "the broker's disk is full (workers keep nothing on a disk: state is a topic)", "tested"),
    Row("F13", "stored state is torn", "tested"),
    Row("F14", "the wall clock of a worker jumps by an hour, forth and back", "tested"),
    Row("F15", "a storm of rebalances", "tested"),
    Row("F16", "scaling out and in, with more workers than partitions", "tested"),
    Row("F17", "two processes under one static member id", "tested"),
    Row("F18", "producers send everything twice", "tested"),
    Row("F19", "poison records, a third of all", "tested"),
    Row("F20", "records larger than any limit", "tested"),
    Row("F21", "topic deleted and made anew, offsets reset by an operator", "tested"),
    Row("F22", "partitions are added under a running pipeline", "tested"),
    Row(
        "F23", "state of another version", "elsewhere",
        "tests/golden reads what earlier builds wrote; tests/kafka_pipeline/test_refusals.py: newer ones are refused",
    ),
    Row("F24", "little memory", "tested"),
    Row("F25", "scrapes that hang", "tested"),
    Row("F26", "the dead-letter topic cannot be written", "tested"),
    Row("F27", "a soak: faults drawn at random", "tested"),
)  # fmt: skip
