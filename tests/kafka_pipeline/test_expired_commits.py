"""The group's commits are gone (a service stopped for a week): the logs are enough to go on, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.protocol.admin import DeleteGroupsRequest

from lepton_stream.runtime.kafka.logs import Logs
from lepton_stream.runtime.kafka.wire import Coordinator
from tests.kafka_pipeline.dies_recovering import MOMENTS
from tests.kafka_pipeline.expected import Expected, assert_orderly, letters_of, write_planted
from tests.kafka_pipeline.pipe import PLANTED, SESSION, Pipe, until

pytestmark = pytest.mark.kafka
RATE = 6000
TOLD = "had lost its commits (expired or deleted), and goes on from the logs"


@pytest.fixture
def pipe(bootstrap: str, tmp_path: Path) -> Iterator[Pipe]:
    """As everywhere, but time does not pass by itself: no window closes while nobody runs."""
    text = PLANTED.read_text().replace("[source]", '[source]\nidle = "wait"')
    with Pipe(tmp_path, bootstrap, text) as made:
        made.apply()
        yield made


class Parts:
    """Records in two parts, the second with repeats of the first, and what both together give."""

    def __init__(self, pipe: Pipe, records: int, seed: int) -> None:
        lines = write_planted(pipe.folder / "all.jsonl", records, seed).read_bytes().splitlines(keepends=True)
        half = records * 3 // 5
        self.first, self.rest, both = (pipe.folder / f"{name}.jsonl" for name in ("first", "rest", "both"))
        self.first.write_bytes(b"".join(lines[:half]))
        self.rest.write_bytes(b"".join([*lines[half - 500 : half], *lines[half:]]))
        both.write_bytes(self.first.read_bytes() + self.rest.read_bytes())
        self.expected = Expected(pipe, both)


def count_some(pipe: Pipe, parts: Parts, *, kill: bool) -> None:
    """A service that is asked to leave when all is counted, or killed amid the records."""
    crew, feeding = pipe.run(), pipe.feeding(parts.first, rate=RATE)
    if kill:
        until(lambda: pipe.counted() > 3000, 30, "records under way")
        crew.end()
    assert feeding.wait() == 0
    if not kill:
        ends = pipe.look().ends
        until(lambda: pipe.counted() == sum(ends[tp] for tp in pipe.partitions(pipe.source)), 30, "all counted")
        crew.process.send_signal(signal.SIGTERM)
        assert crew.wait(20) == 143, crew.said
    until(pipe.nobody_in_group, 20, "the group is empty")


def forget(pipe: Pipe) -> None:
    """What the broker does with an empty group after offsets.retention.minutes."""
    group = pipe.names.group
    pipe.ask(lambda wire: wire.coordinated(Coordinator.GROUP, group, DeleteGroupsRequest([group])))
    assert not any(pipe.look().committed.values())


def assert_all_counted(pipe: Pipe, parts: Parts) -> str:
    """Run to the end, with two workers that start at once: results, account and letters are those of the files."""
    done = pipe.to_the_end()
    parts.expected.holds_for(done)
    assert letters_of(pipe) == parts.expected.letters
    assert_orderly(pipe, done)
    return done.said


@pytest.mark.parametrize("kill", [False, True], ids=["asked to leave", "killed"])
def test_a_group_that_lost_its_commits_goes_on_from_the_logs(pipe: Pipe, kill: bool) -> None:
    parts = Parts(pipe, 20_000, seed=61)
    count_some(pipe, parts, kill=kill)
    forget(pipe)
    pipe.feed(parts.rest)
    said = assert_all_counted(pipe, parts)
    assert said.count(TOLD) == 1, said
    assert "4 shuffle partitions recovered" in said


@pytest.mark.parametrize(
    "moment", [pytest.param(m, marks=pytest.mark.slow) if m != "before the commit" else m for m in MOMENTS]
)
def test_kill_9_amid_the_recovery_changes_nothing(pipe: Pipe, moment: str) -> None:
    parts = Parts(pipe, 12_000, seed=62)
    count_some(pipe, parts, kill=True)
    forget(pipe)
    pipe.feed(parts.rest)
    dying = [sys.executable, "-m", "tests.kafka_pipeline.dies_recovering"]
    asked = ["run", str(pipe.path), "--broker", pipe.bootstrap, "--until-end"]
    env = os.environ | {"DIES_AT": moment, "LEPTON__KAFKA__SESSION_SECONDS": SESSION}
    died = subprocess.run([*dying, *asked], env=env, capture_output=True, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert all(pipe.look().committed.values()) == (moment == "after the commit")
    assert any(pipe.look().committed.values()) == (moment == "after the commit")
    said = assert_all_counted(pipe, parts)
    assert said.count(TOLD) == (moment != "after the commit"), said


def test_what_retention_took_from_the_source_meanwhile_is_refused(pipe: Pipe) -> None:
    parts = Parts(pipe, 4000, seed=63)
    count_some(pipe, parts, kill=False)
    forget(pipe)
    pipe.feed(parts.rest)
    ends = {tp: pipe.look().ends[tp] for tp in pipe.partitions(pipe.source)}
    pipe.ask(lambda wire: Logs(wire).trim(ends))
    code, messages = pipe.refused()
    assert code == 5, messages
    told = [line for line in messages if "lies outside the log" in line]
    assert 1 <= len(told) <= 2, messages  # one a worker; the second may be ended before it has looked
    assert "nothing was reset. Restore the topic" in told[0]
    assert not any(pipe.look().committed.values())
