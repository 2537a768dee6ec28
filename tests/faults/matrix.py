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
    Row(
        "F11", "the coordinator answers with errors", "elsewhere",
        "tests/kafka/test_committer.py gives every error code to the committer; whole runs meet those of F9 and F15",
    ),
    Row("F12", "the disk of local state is full", "refused", "workers keep nothing on a disk: state is a topic"),
    Row("F13", "stored state is torn", "tested"),
    Row(
        "F14", "the wall clock jumps", "refused",
        "needs libfaketime; no decision reads a clock: tests/test_architecture.py refuses calls of clocks in the core",
    ),
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
        "tests/kafka_pipeline/test_refusals.py; there has been one version of the state, so nothing to migrate",
    ),
    Row("F24", "little memory", "tested"),
    Row("F25", "scrapes that hang", "tested"),
    Row("F26", "the dead-letter topic cannot be written", "tested"),
    Row("F27", "a soak: faults drawn at random", "tested"),
)  # fmt: skip
