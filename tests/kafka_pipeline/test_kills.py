"""kill -9 while records are under way: results and account are those of a run that nobody disturbed."""

from __future__ import annotations

import logging
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.view import Seen
from tests.kafka_pipeline.expected import Expected, assert_orderly, letters_of, write_planted
from tests.kafka_pipeline.pipe import PLANTED, Pipe, Run, alive, until

pytestmark = pytest.mark.kafka
log = logging.getLogger(__name__)
RATE = 7000
EACH = 30_000
"""Records a kill."""


@pytest.fixture
def pipe(bootstrap: str, tmp_path: Path) -> Iterator[Pipe]:
    """As everywhere, but time does not pass by itself: however long a takeover takes, no window closes meanwhile."""
    text = PLANTED.read_text().replace("[source]", '[source]\nidle = "wait"')
    with Pipe(tmp_path, bootstrap, text) as made:
        made.apply()
        yield made


@dataclass(frozen=True)
class Blow:
    """What the group had committed just before somebody was killed."""

    seen: Seen
    at: float

    def under_way(self, pipe: Pipe) -> bool:
        """Whether a range was claimed and not completed, or records waited."""
        return any(_open(self.seen, tp) or self.seen.behind(tp) for tp in self._all(pipe))

    def over(self, pipe: Pipe) -> bool:
        """Whether everything that waited then is done."""
        now = pipe.look()
        return all(now.position(tp) >= self.seen.ends[tp] for tp in pipe.partitions(pipe.names.source))

    def _all(self, pipe: Pipe) -> list[SourcePartition]:
        return [*pipe.partitions(pipe.names.source), *pipe.partitions(pipe.names.shuffle)]


def _open(seen: Seen, tp: SourcePartition) -> bool:
    claim = seen.claim(tp) if "shuffle" not in tp.topic else None
    return claim is not None and claim.claim is not None and claim.claim > seen.position(tp)


def kill(pipe: Pipe, pids: list[int]) -> Blow:
    """Kill these at a moment when something is under way."""

    def busy() -> Blow | None:
        blow = Blow(pipe.look(), time.monotonic())
        return blow if blow.under_way(pipe) else None

    blow = until(busy, 20, "records under way", every=0)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(map(alive, pids)), 5, "the killed are gone")
    return blow


def beyond(pipe: Pipe, aim: int) -> None:
    """Until so many records are done."""
    until(lambda: pipe.counted() >= aim, 30, "progress before the kill")


def two_at_work(crew: Run) -> list[int]:
    """Both workers, as soon as there are two."""
    return until(lambda: found if len(found := crew.workers) == 2 else None, 20, "two workers")


def kills(pipe: Pipe, times: int, seed: int, *, both: int = -1) -> None:
    """So many kills, each while a piece of the file is fed; number `both` hits both workers."""
    draw = random.Random(seed)
    file = write_planted(pipe.folder / "in.jsonl", times * EACH, seed)
    expected = Expected(pipe, file)
    records = file.read_bytes().splitlines(keepends=True)
    crew = pipe.run()
    for number in range(times):
        piece = pipe.folder / f"{number}.jsonl"
        piece.write_bytes(b"".join(records[number * EACH : (number + 1) * EACH]))
        feeding = pipe.feeding(piece, rate=RATE)
        beyond(pipe, number * EACH + draw.randrange(EACH // 2))
        pids = two_at_work(crew)
        blow = kill(pipe, pids if number == both else [draw.choice(pids)])
        assert feeding.wait() == 0
        until(partial(blow.over, pipe), 30, "progress after the kill")
        log.info("kill %s: what waited was done %.1f s later", number, time.monotonic() - blow.at)
    stop(crew)
    done = pipe.to_the_end()
    expected.holds_for(done)
    assert letters_of(pipe) == expected.letters
    assert_orderly(pipe, done)


def stop(crew: Run) -> None:
    """Politely."""
    crew.process.send_signal(signal.SIGTERM)
    assert crew.wait(20) == 143, crew.said


@pytest.mark.slow  # make test has rows F1 and F2 of tests/faults
def test_three_kills_of_workers_change_nothing(pipe: Pipe) -> None:
    kills(pipe, 3, seed=31, both=1)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [32, 33])
def test_ten_kills_of_workers_change_nothing(pipe: Pipe, seed: int) -> None:
    kills(pipe, 10, seed, both=seed % 10)


def test_workers_end_with_their_killed_crew_and_another_run_goes_on_exactly(pipe: Pipe) -> None:
    file = write_planted(pipe.folder / "in.jsonl", 30_000, seed=34)
    expected = Expected(pipe, file)
    crew, feeding = pipe.run(), pipe.feeding(file, rate=RATE)
    beyond(pipe, 5000)
    workers = two_at_work(crew)
    blow = kill(pipe, [crew.process.pid])
    until(lambda: not any(map(alive, workers)), 5, "the workers are gone")
    assert feeding.wait() == 0
    assert blow.under_way(pipe)
    done = pipe.to_the_end()
    expected.holds_for(done)
    assert letters_of(pipe) == expected.letters
    assert_orderly(pipe, done)
