"""Partitions that move by load while records come: what is counted is what the run over files counts."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment as Assignment
from aiokafka.protocol.admin import DescribeGroupsRequest

from lepton_stream.runtime.kafka.assignor import EQUAL, NAME
from lepton_stream.runtime.kafka.wire import Coordinator
from tests.acceptance.commands import run
from tests.data.planted import generate
from tests.kafka_pipeline.expected import Expected, assert_orderly, letters_of
from tests.kafka_pipeline.pipe import PARTITIONS, Pipe, Run, until
from tests.reference.murmur2 import partition_of

pytestmark = pytest.mark.kafka
RATE = 2500
HOT = 0


def write_uneven(path: Path, seed: int, records: int = 80_000) -> Path:
    """Planted records, most of them of the devices of one source partition."""
    kept = [r.value for n, r in enumerate(generate(records, seed)) if n % 20 == 0 or _partition(r.value) == HOT]
    path.write_bytes(b"".join(value + b"\n" for value in kept))
    return path


def _partition(value: bytes) -> int | None:
    found = re.search(rb'"device": "([^"]+)"', value)
    return partition_of(found[1], PARTITIONS) if found else None


def placed(pipe: Pipe, members: int) -> tuple[str, list[list[tuple[str, int]]]] | None:
    """The group's placement and what each member has; None before it has so many members and every partition an owner.

    Sources first, then shuffle partitions, each as (what, number).
    """
    group, names = pipe.names.group, {pipe.names.source: "source", pipe.names.shuffle: "shuffle"}
    answer = pipe.ask(lambda wire: wire.coordinated(Coordinator.GROUP, group, DescribeGroupsRequest([group])))
    ((_, _, state, _, protocol, found),) = (row[:6] for row in answer.groups)
    if state != "Stable" or len(found) != members:
        return None
    owned = [
        [(names[tp.topic], tp.partition) for tp in Assignment.decode(one[4]).partitions()] for one in found if one[4]
    ]
    return (protocol, owned) if sum(map(len, owned)) == 2 * PARTITIONS else None


def settled(pipe: Pipe, members: int) -> tuple[str, list[list[tuple[str, int]]]]:
    return until(lambda: placed(pipe, members), 60, f"{members} members with an assignment", every=0.2)


def beyond(pipe: Pipe, aim: int) -> None:
    until(lambda: pipe.counted() >= aim, 60, "progress", every=0.2)


def by_load(pipe: Pipe) -> Run:
    return pipe.run("--placement", "load", "--log-format", "json", workers=1)


def leave(*runs: Run) -> None:
    for one in runs:
        one.process.send_signal(signal.SIGTERM)
    assert [one.wait(40) for one in runs] == [143] * len(runs), [one.said for one in runs]


def assigned(one: Run) -> list[str] | None:
    """What it was given last, by its log; None before that."""
    lines = [json.loads(line) for line in one.said.splitlines() if '"partitions_assigned"' in line]
    return lines[-1]["partitions"] if lines else None


def has_hot(pipe: Pipe, one: Run) -> bool:
    own = assigned(one)
    return own is not None and f"{pipe.source}[{HOT}]" in own


def test_what_a_worker_leaves_goes_where_it_hurts_least_and_results_are_exact(pipe: Pipe) -> None:
    file = write_uneven(pipe.folder / "in.jsonl", seed=81, records=120_000)
    expected = Expected(pipe, file)
    three = [by_load(pipe) for _ in range(3)]
    protocol, owned = settled(pipe, 3)
    assert protocol == NAME
    assert sorted(map(len, owned)) == [2, 3, 3]
    feeding = pipe.feeding(file, rate=RATE)
    beyond(pipe, 5 * RATE)
    busy = next(one for one in three if has_hot(pipe, one))
    leaving = next(one for one in three if one is not busy)
    leave(leaving)
    protocol, owned = settled(pipe, 2)
    assert protocol == NAME
    hot, others = sorted(owned, key=lambda own: ("source", HOT) not in own)
    assert has_hot(pipe, busy), "what is hot stays where it is"
    assert len(hot) <= len(others)
    assert feeding.wait() == 0
    leave(*(one for one in three if one is not leaving))
    done = pipe.to_the_end()
    expected.holds_for(done)
    assert letters_of(pipe) == expected.letters
    assert_orderly(pipe, done)
    told = run("explain", pipe.path, "--knob", "placement", "--broker", pipe.bootstrap)
    assert told.returncode == 0, told.stderr
    assert b"placement: " in told.stdout


def test_a_worker_that_is_killed_while_its_group_places_by_load_changes_nothing(pipe: Pipe) -> None:
    file = write_uneven(pipe.folder / "in.jsonl", seed=82)
    expected = Expected(pipe, file)
    first, second = by_load(pipe), by_load(pipe)
    assert settled(pipe, 2)[0] == NAME
    feeding = pipe.feeding(file, rate=RATE)
    beyond(pipe, RATE)
    os.kill(second.process.pid, signal.SIGKILL)
    third = by_load(pipe)  # may join while the dead one is still a member
    protocol, owned = settled(pipe, 2)
    assert protocol == NAME
    assert min(map(len, owned)) >= 1
    assert feeding.wait() == 0
    leave(first, third)
    done = pipe.to_the_end()
    expected.holds_for(done)
    assert letters_of(pipe) == expected.letters
    assert_orderly(pipe, done)


def test_workers_of_both_placements_work_together_equally(pipe: Pipe) -> None:
    file = write_uneven(pipe.folder / "in.jsonl", seed=83)
    expected = Expected(pipe, file)
    first, feeding = by_load(pipe), pipe.feeding(file, rate=2 * RATE)
    assert settled(pipe, 1)[0] == NAME
    second = pipe.run(workers=1)
    protocol, owned = settled(pipe, 2)
    assert protocol == EQUAL
    assert [len(own) for own in owned] == [PARTITIONS, PARTITIONS]
    assert feeding.wait() == 0
    leave(first, second)
    expected.holds_for(pipe.to_the_end())
