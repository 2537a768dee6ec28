"""Workers with little memory: they stay within it, count exactly, and stop with a message in good time."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lepton_stream.memory.budget import BASE
from tests.faults import inject
from tests.faults.node import Node, make_nodes
from tests.faults.proxy import Proxy
from tests.kafka_pipeline.expected import Expected, assert_orderly, letters_of, write_planted
from tests.kafka_pipeline.pipe import PLANTED, Pipe, Run, until

pytestmark = pytest.mark.kafka
MiB = 1 << 20
SHORT_MEMORY = "memory = 20_000"
TEXT = PLANTED.read_text().replace("memory = 1_000_000", SHORT_MEMORY)


def write_events(path: Path, records: int, keys: int | None, width: int = 1) -> Path:
    """Good records of so many keys in turn, None: each of a key of its own; 50,000 in a second of event time."""
    device = b"d" * width
    with path.open("wb") as out:
        for n in range(records):
            key = n if keys is None else n * 7919 % keys
            ts = 1_700_000_000 + n / 50_000
            out.write(
                b'{"event_id":"e%d","device":"%b%d","ts":%.3f,"value":%d.5,"status":"ok","seq":%d}\n'
                % (n, device, key, ts, n % 100, n)
            )
    return path


def peak(pid: int) -> int:
    """Bytes of memory that a process held at most."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) << 10


@pytest.fixture
def frugal(bootstrap: str, tmp_path: Path) -> Iterator[Pipe]:
    """The pipeline with a short dedup memory, so that window tables are what grows."""
    with Pipe(tmp_path, bootstrap, TEXT) as made:
        made.apply()
        yield made


def to_the_end(pipe: Pipe, memory: str) -> Run:
    """A run of one worker to the end, in the background."""
    files = ["--output", str(pipe.folder / "out.jsonl"), "--stats", str(pipe.folder / "stats.json")]
    return pipe.run("--until-end", "--memory", memory, *files, workers=1)


def test_a_new_key_with_every_record_ends_in_a_stop_that_loses_nothing(frugal: Pipe) -> None:
    records, width = 45_000, 1000
    frugal.feed(write_events(frugal.folder / "keys.jsonl", records, keys=None, width=width))
    stopped = to_the_end(frugal, "64MiB")
    code = stopped.wait(60)
    assert code == 9, stopped.said
    for words in ("48 MiB are for state", "window tables with room for", "Nothing is lost", "--memory 128MiB"):
        assert words in stopped.said
    assert "Traceback" not in stopped.said
    done = frugal.done(to_the_end(frugal, "512MiB"))
    assert done.stats["read"] == done.stats["accepted"] == done.stats["results"] == records
    assert {row["device"] for row in done.rows} == {"d" * width + str(n) for n in range(records)}
    assert {row["n"] for row in done.rows} == {1}


@pytest.mark.slow
def test_a_crew_of_which_one_has_too_much_state_stops_as_a_whole(frugal: Pipe) -> None:
    frugal.feed(write_events(frugal.folder / "keys.jsonl", 400_000, keys=None))
    crew = frugal.run("--memory", "64MiB")
    assert crew.wait(60) == 9, crew.said
    assert "starting it again" not in crew.said


@pytest.mark.slow
def test_a_backlog_of_four_times_the_budget_is_counted_within_it(frugal: Pipe) -> None:
    records, keys, budget = 2_500_000, 1000, 64 * MiB
    backlog = write_events(frugal.folder / "backlog.jsonl", records, keys)
    assert backlog.stat().st_size > 3 * budget
    frugal.feed(backlog)
    one = frugal.run("--memory", "64MiB", workers=1)
    until(lambda: frugal.counted() == records, 120, "all of it counted", every=0.2)
    assert peak(one.process.pid) < budget + BASE
    one.process.send_signal(signal.SIGTERM)
    assert one.wait(20) == 143, one.said
    done = frugal.to_the_end(workers=1)
    assert done.stats["read"] == done.stats["accepted"] == records
    assert sum(row["n"] for row in done.rows) == records


@pytest.mark.slow
@pytest.mark.parametrize("topic", ["results", "dead_letters"])
def test_a_topic_that_takes_nothing_holds_the_work_up_until_it_does_again(pipe: Pipe, topic: str) -> None:
    records = 20_000
    planted = write_planted(pipe.folder / "in.jsonl", records, seed=11)
    expected, refusing = Expected(pipe, planted), getattr(pipe.names, topic)
    inject.configure(pipe.bootstrap, refusing, max_message_bytes="100")
    pipe.feed(planted)
    crew = pipe.run()
    until(
        lambda: f"{refusing} partition" in crew.said and "not acknowledged" in crew.said, 60, "it is told which topic"
    )
    if topic == "dead_letters":
        assert pipe.counted() < records, "a range without its dead letters was completed"
    inject.configure(pipe.bootstrap, refusing, max_message_bytes=str(16 * MiB))
    until(lambda: pipe.counted() == records, 90, "it has gone on by itself")
    crew.process.send_signal(signal.SIGTERM)
    assert crew.wait(20) == 143, crew.said
    done = pipe.to_the_end()
    expected.holds_for(done)
    assert letters_of(pipe) == expected.letters
    assert_orderly(pipe, done)


@pytest.fixture
def slow_node(tmp_path: Path) -> Iterator[Node]:
    """A broker whose clients may be led through a proxy."""
    (node,) = make_nodes(tmp_path / "slow")
    try:
        node.start()
        yield node
    finally:
        node.stop()


@pytest.mark.slow
def test_a_broker_that_takes_results_slowly_fills_no_memory(slow_node: Node, tmp_path: Path) -> None:
    records, budget = 200_000, 128 * MiB
    proxy = Proxy(slow_node.place.proxy, slow_node.place.proxied)
    try:
        with Pipe(tmp_path, slow_node.bootstrap, TEXT) as pipe:
            pipe.apply()
            pipe.feed(write_events(tmp_path / "many.jsonl", records, keys=20_000))
            proxy.rate = 400_000
            pipe.bootstrap = slow_node.by_proxy
            one = pipe.run("--memory", "128MiB", workers=1, session="10")
            pipe.bootstrap = slow_node.bootstrap
            until(lambda: pipe.counted() > 0, 60, "it counts")
            until(lambda: pipe.counted() > records // 4, 120, "it goes on, slowly", every=0.2)
            slowed = peak(one.process.pid)
            proxy.heal()
            until(lambda: pipe.counted() == records, 120, "all counted", every=0.2)
            assert max(slowed, peak(one.process.pid)) < budget + BASE
            os.kill(one.process.pid, signal.SIGTERM)
            assert one.wait(30) == 143, one.said
            done = pipe.to_the_end(workers=1)
            assert done.stats["read"] == done.stats["accepted"] == sum(row["n"] for row in done.rows) == records
    finally:
        proxy.end()
