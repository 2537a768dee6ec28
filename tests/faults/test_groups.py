"""Rows F13, F15 to F17, F24 and F25: groups that do not come to rest, and what else goes wrong around them."""

from __future__ import annotations

import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.kafka.broker import free_port
from lepton_stream.chunk import SourcePartition
from lepton_stream.protocol.metadata import pointer_of
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.produce import Producer, Record
from lepton_stream.runtime.kafka.wire import Wire
from tests.faults import inject
from tests.faults.scene import Scene, stop, two
from tests.kafka_pipeline.pipe import alive, until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
RATE = 4000
TAKEN_OVER = 6
BUDGET = 600 << 20


def test_f13_torn_state_is_refused(scene: Scene) -> None:
    """The newest checkpoint of a partition is replaced by one with a flipped byte: the pointer still names it."""
    pipe = scene.pipe
    crew = scene.crew()
    scene.send(6000, RATE).wait()
    scene.beyond(6000)
    stop(crew)
    tp = SourcePartition(pipe.names.shuffle, 0)
    before = pipe.look().committed[tp]
    assert before is not None
    pointer = pointer_of(before.metadata, "here")
    (stored,) = (s for s in pipe.stored(pipe.names.state) if (s.partition, s.offset) == (0, pointer.first))
    assert stored.value is not None
    torn = stored.value[:-20]

    async def append(_: Wire) -> int:
        async with Producer(Connection(pipe.bootstrap)) as producer:
            (ack,) = await producer.send_all([Record(SourcePartition(pipe.names.state, 0), torn)])
            return ack.offset

    at = pipe.ask(append)
    text = before.metadata.replace(f'"first":{pointer.first}', f'"first":{at}')
    text = text.replace(f'"last":{pointer.last}', f'"last":{at}')
    assert inject.reset_offset(pipe, tp, before.offset, text) == 0
    code, messages = pipe.refused()
    assert code == 5, messages
    scene.entry.proofs.append(f"checkpoint {pointer.number} cut by 20 bytes")
    scene.halted("exit code 5; the pointer is as it was")


def test_f15_a_storm_of_rebalances_changes_nothing(scene: Scene) -> None:
    pipe = scene.pipe
    crew = scene.crew(1)
    scene.send(150_000, 2500)
    for _ in range(6):
        before = pipe.counted()
        guest = pipe.run(workers=1)
        until(lambda: pipe.members() == 2, 30, "a guest has joined")
        blow = scene.strike("a member joined", lambda: None)
        if scene.draw.random() < 0.5:
            guest.end()
        else:
            stop(guest)
        scene.recovered(blow)
        assert pipe.counted() > before, "no progress"
    scene.settle(crew)


def test_f16_scaling_out_beyond_the_partitions_and_in_changes_nothing(scene: Scene) -> None:
    crews = [scene.crew(1)]
    scene.send(150_000, 2500)
    for more in (3, 2):
        scene.beyond(scene.pipe.counted() + 8000)
        blow = scene.strike(f"{more} more workers", lambda more=more: crews.append(scene.crew(more)))  # type: ignore[misc]
        scene.recovered(blow)
    for _ in range(2):
        blow = scene.strike("workers leave", lambda: stop(crews.pop(0)))
        scene.recovered(blow, "graceful move")
    scene.settle(*crews)


def test_f17_the_second_process_under_a_static_id_ends_the_first_or_itself(scene: Scene) -> None:
    pipe = scene.pipe
    first = scene.pipe.run("--static-id", "twin", workers=1, session="10")
    until(lambda: pipe.members() == 1, 30, "the first has joined")
    scene.send(60_000, RATE)
    scene.beyond(10_000)
    blow = scene.strike("a twin with the same id", lambda: None)
    second = pipe.run("--static-id", "twin", workers=1, session="10")
    until(lambda: not (alive(first.process.pid) and alive(second.process.pid)), 60, "one of them has ended")
    ended, left = (first, second) if alive(second.process.pid) else (second, first)
    assert ended.wait() == TAKEN_OVER, ended.said
    scene.recovered(blow)
    scene.settle(left)


def test_f17_a_killed_worker_with_a_static_id_is_back_at_once(scene: Scene) -> None:
    pipe = scene.pipe
    one = pipe.run("--static-id", "same", workers=1, session="30")
    scene.send(60_000, RATE)
    scene.beyond(10_000)
    blow = scene.strike("kill -9, static id", lambda: inject.kill([one.process.pid]))
    again = pipe.run("--static-id", "same", workers=1, session="30")
    scene.recovered(blow, "static restart")
    scene.settle(again)


def peak(pid: int) -> int:
    """Bytes of memory that a process held at most."""
    (line,) = (t for t in Path(f"/proc/{pid}/status").read_text().splitlines() if t.startswith("VmHWM"))
    return int(line.split()[1]) << 10


def test_f24_a_backlog_is_counted_within_the_memory_given(scene: Scene) -> None:
    scene.send(200_000, 20_000).wait()
    crew = scene.crew()
    for pid in two(crew):
        subprocess.run(["prlimit", f"--pid={pid}", f"--data={2 * BUDGET}"], check=True)
    scene.strike("a backlog, and a limit on memory", lambda: None)
    scene.beyond(200_000)
    most = max(map(peak, two(crew)))
    assert most < BUDGET
    scene.entry.proofs.append(f"at most {most >> 20} MiB a worker")
    scene.settle(crew)


def test_f24_workers_short_of_file_descriptors_change_nothing(scene: Scene) -> None:
    """None is left for the connections that a takeover needs."""
    crew = scene.crew()
    scene.send(60_000, RATE)
    scene.beyond(10_000)
    pids = two(crew)
    for pid in pids:
        most = len(list(Path(f"/proc/{pid}/fd").iterdir())) + 1
        subprocess.run(["prlimit", f"--pid={pid}", f"--nofile={most}:{most}"], check=True)
    blow = scene.strike("one file descriptor left, and the other worker killed", lambda: inject.kill(pids[:1]))
    scene.recovered(blow)
    scene.settle(crew)


def test_f25_scrapes_that_hang_hold_nobody_up(scene: Scene) -> None:
    port = free_port()
    crew = scene.crew(2, "2", "--metrics", f"127.0.0.1:{port}")
    scene.send(40_000, RATE)
    with ExitStack() as stack:

        def hang() -> None:
            for _ in range(40):
                one = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                one.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")

        blow = scene.strike("40 scrapes that hang", hang)
        scene.recovered(blow)
        scene.beyond(40_000)
    scene.settle(crew)
