"""The fault matrix: every row, how it is brought about, and where it stands. A row without a test here says why.

`kind`: "tested" by `test_fNN_...` in tests/faults, "elsewhere" by the tests that `note` names, or "refused": it does
not apply or cannot be brought about on one machine, for the reason in `note`. `how`: what the tests do; where something
of ours stands for the real thing, it says so.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Row(NamedTuple):
    """One fault."""

    number: str
    fault: str
    how: str
    kind: Literal["tested", "elsewhere", "refused"] = "tested"
    note: str = ""


PROXY = "emulated by a TCP proxy of ours before one of two workers"
MATRIX = (
    Row("F1", "a worker is killed, again and again", "`kill -9` at random, and at each point between two promises"),
    Row("F2", "all workers are killed at once", "`kill -9`; then cold starts with large state"),
    Row("F3", "a rolling restart", "SIGTERM to one of two, another one started, three times"),
    Row("F4", "a worker is frozen beyond its session, and wakes", "SIGSTOP and SIGCONT; judged again after compaction"),
    Row("F5", "the network between worker and broker is cut both ways",
        f"a worker in a network namespace whose routes are taken away for 30 s; {PROXY}, for 12 s"),
    Row("F6", "the network is cut one way: acknowledgements are lost", "as F5, from the broker to the worker only"),
    Row("F7", "a slow, uneven network", f"{PROXY}: 200 ms to and fro, 1 Mbit/s, then stalls as of lost packets",
        note="packets are not dropped: the kernel may have no `netem`; to whoever uses TCP a lost packet is a delay"),
    Row("F8", "connections are reset", f"{PROXY}: RST on each of its connections, four times"),
    Row("F9", "the broker is killed, or stopped, and started again",
        "`kill -9` or SIGTERM, up to four times; away for longer than a minute"),
    Row("F10", "the broker is frozen for 20 s", "SIGSTOP and SIGCONT"),
    Row("F11", "leaders and coordinators move; the broker throttles its clients",
        "three brokers, three copies, two of them in step at least, each broker killed in turn; quotas of a broker; "
        "each error code, told three times in a row by a proxy of ours, before the broker does as asked, and after"),
    Row("F12", "the broker's disk is full", "a disk of 192 MiB under its logs is filled",
        note="workers keep nothing on a disk: state is a topic"),
    Row("F13", "stored state is torn", "the newest checkpoint is cut short in the state topic"),
    Row("F14", "the wall clock of a worker jumps by an hour, forth and back, and drifts",
        "emulated: `time.time` of one of two workers is an hour off, or runs a tenth too fast"),
    Row("F15", "a storm of rebalances", "a guest joins and leaves, or is killed, six times"),
    Row("F16", "scaling out and in, with more workers than partitions", "1, 4, 6, 5 and 2 workers on four partitions"),
    Row("F17", "two processes under one static member id", "a twin is started; a killed worker comes back as itself"),
    Row("F18", "producers send everything twice", "all records again, and a worker killed meanwhile",
        note="equal ids come to one partition, as retries do; beyond the memory: tests/protocol/test_simulation.py"),
    Row("F19", "poison records, a third of all", "records that no plan can read, amid good ones",
        note="no code of a user runs on a record, so none can raise, hang or allocate"),
    Row("F20", "records larger than any limit", "values of 0.9 to 6.3 MB"),
    Row("F21", "a source topic deleted and made anew; offsets reset by an operator", "calls of an admin client",
        note="truncated or expired sources: tests/kafka_pipeline/test_refusals.py and test_expired_commits.py"),
    Row("F22", "partitions are added under a running pipeline", "calls of an admin client"),
    Row("F23", "state of another version", "stored bytes of earlier and later builds", "elsewhere",
        "version 1 is read: tests/golden/test_golden.py; newer is refused: tests/kafka_pipeline/test_refusals.py"),
    Row("F24", "little memory, few file descriptors", "`prlimit` on running workers",
        note="a memory budget (`--memory`): tests/kafka_pipeline/test_memory.py"),
    Row("F25", "scrapes that hang", "40 connections to the metrics port that ask for ever",
        note="nobody scrapes in the other rows; a slow or refusing results topic: tests/kafka_pipeline/test_memory.py"),
    Row("F26", "the dead-letter topic cannot be written", "its limit is set to 100 bytes, and back"),
    Row("F27", "a soak: faults drawn at random",
        "kills, freezes, broker deaths, cut or reset networks, guests that come and go, every 5 s on average"),
)  # fmt: skip
